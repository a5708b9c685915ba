//! `[broker]`: who the broker is.

use std::path::PathBuf;

use secrecy::SecretString;

use super::problem::ProblemKind;
use super::reader::Section;

const KEY_FILE_DEFAULT: &str = "broker.key";

/// Who the broker is.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where its signing key comes from.
    pub key: KeySource,
}

/// Where a signing key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file that holds it; a relative path was resolved against the configuration's directory.
    File(PathBuf),
    /// The text of the environment variable itself, not checked yet. It goes before the file.
    Environment(SecretString),
}

pub(super) fn read(mut section: Section<'_>) -> Option<BrokerConfig> {
    let private_key = section.secret("private_key", "CLEARNET__BROKER__PRIVATE_KEY");
    let private_key = private_key.try_map(|text| Ok(Some(SecretString::from(text)))).or(None);
    let key_file = section.text("key_file").try_map(|text| match text.as_str() {
        "" => Err(ProblemKind::EmptyPath),
        _ => Ok(text),
    });
    let key_file = key_file.or(KEY_FILE_DEFAULT.to_owned());
    section.finish();
    let key_file = key_file?;
    let key = match private_key?.value {
        Some(text) => KeySource::Environment(text),
        None => KeySource::File(key_file.directory().join(&key_file.value)),
    };
    Some(BrokerConfig { key })
}
