//! `[broker]`: who the broker is, and whether it serves people or tests.

use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;

use super::entry::Entry;
use super::network::Networks;
use super::problem::ProblemKind;
use super::reader::Section;

const KEY_FILE_DEFAULT: &str = "broker.key";

/// Who the broker is.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// Where its signing key comes from.
    pub key: KeySource,
    /// Whether it serves people or tests.
    pub mode: Mode,
}

/// Whether a broker serves people or tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// People: money comes from chains alone, and the book goes on for ever.
    Live,
    /// Tests: money can be made from nothing, and the book begun anew. Only where all money is worth nothing.
    Test,
}

impl Mode {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl FromStr for Mode {
    type Err = ProblemKind;

    fn from_str(text: &str) -> Result<Self, ProblemKind> {
        let found = [Self::Live, Self::Test].into_iter().find(|mode| mode.name() == text);
        found.ok_or(ProblemKind::Mode)
    }
}

/// Where a signing key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file that holds it; a relative path was resolved against the configuration's directory.
    File(PathBuf),
    /// The text of the environment variable itself, not checked yet. It goes before the file.
    Environment(SecretString),
}

/// The section as it was read: what depends on other sections is checked when those are known.
pub(super) struct BrokerSection<'d> {
    key: Option<KeySource>,
    mode: Option<Entry<'d, Mode>>,
}

impl BrokerSection<'_> {
    /// The configuration, if it is valid beside these networks.
    pub(super) fn into_config(self, networks: &Networks) -> Option<BrokerConfig> {
        let mode = self.mode?;
        if mode.value == Mode::Test
            && let Some(network) = networks.first_not_dev()
        {
            mode.report(ProblemKind::TestWithMoney { network: network.to_string() });
        }
        Some(BrokerConfig { key: self.key?, mode: mode.value })
    }
}

pub(super) fn read(mut section: Section<'_>) -> BrokerSection<'_> {
    let mode = section.text("mode").try_map(|text| text.parse()).or(Mode::Live);
    BrokerSection { mode, key: read_key(section) }
}

fn read_key(mut section: Section<'_>) -> Option<KeySource> {
    let private_key = section.secret("private_key", "CLEARNET__BROKER__PRIVATE_KEY");
    let private_key = private_key.try_map(|text| Ok(Some(SecretString::from(text)))).or(None);
    let key_file = section.text("key_file").try_map(|text| match text.as_str() {
        "" => Err(ProblemKind::EmptyPath),
        _ => Ok(text),
    });
    let key_file = key_file.or(KEY_FILE_DEFAULT.to_owned());
    section.finish();
    let key_file = key_file?;
    Some(match private_key?.value {
        Some(text) => KeySource::Environment(text),
        None => KeySource::File(key_file.directory().join(&key_file.value)),
    })
}
