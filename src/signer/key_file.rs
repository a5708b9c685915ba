//! A secret key in a file or an environment variable: 64 hex digits, with or without `0x`.
//!
//! Deliberately absent from every error: the key, or any part of what was read instead of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use domain::crypto::{SigningKey, SigningKeyError};
use domain::primitives::{Digest, encode_hex};
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::config::KeySource;

/// How much of a key file is read: twice what a key and white space need, so that a wrong path (a disk,
/// say) costs nothing.
const FILE_BYTES_MAX: u64 = 256;
/// What nobody but the owner of a key file may do.
const MODE_OF_OTHERS: u32 = 0o077;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The key file could not be opened or read.
    #[error("cannot read key file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the file's owner may read or change it.
    #[error("key file {} is open to others (mode {mode:04o}): chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key file holds no key.
    #[error("no private key in {}", path.display())]
    MalformedFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: SigningKeyError,
    },
    /// The environment variable holds no key.
    #[error("no private key in CLEARNET__BROKER__PRIVATE_KEY")]
    MalformedVariable {
        /// What is wrong with it.
        source: SigningKeyError,
    },
    /// There is something at the path already, and a key is never written over.
    #[error("{} exists already, a key is never overwritten", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The key file could not be made.
    #[error("cannot write key file {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random bytes.
    #[error("no random numbers to be had")]
    NoRandomness {
        /// What the system said.
        source: rand::rand_core::OsError,
    },
}

/// Loads the key from where the configuration says it is.
///
/// # Errors
/// Of a file, first that applies: [`KeyError::Unreadable`], [`KeyError::Exposed`],
/// [`KeyError::MalformedFile`]. Of a variable: [`KeyError::MalformedVariable`].
pub fn load_key(source: &KeySource) -> Result<SigningKey, KeyError> {
    match source {
        KeySource::File(path) => {
            let text = read(path)?;
            parse(&text).map_err(|source| KeyError::MalformedFile { path: path.clone(), source })
        }
        KeySource::Environment(text) => parse(text).map_err(|source| KeyError::MalformedVariable { source }),
    }
}

/// Makes a random key and keeps it at `path`, a file that only its owner may read.
///
/// On return the key is on disk.
///
/// # Errors
/// First that applies: [`KeyError::NoRandomness`], [`KeyError::Exists`], [`KeyError::Unwritable`].
pub fn create_key_file(path: &Path) -> Result<SigningKey, KeyError> {
    let (key, bytes) = random_key()?;
    keep(path, &bytes)?;
    Ok(key)
}

/// Keeps a key that everybody knows at `path`, for a world in which money is worth nothing.
///
/// # Errors
/// First that applies: [`KeyError::Exists`], [`KeyError::Unwritable`].
pub fn keep_known_key(path: &Path, secret: Digest) -> Result<(), KeyError> {
    keep(path, secret.as_bytes())
}

fn keep(path: &Path, secret: &[u8; 32]) -> Result<(), KeyError> {
    let text = SecretString::from(encode_hex(secret));
    write(path, &text).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::Unwritable { path: path.to_owned(), source },
    })
}

fn read(path: &Path) -> Result<SecretString, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
    if mode & MODE_OF_OTHERS != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.into())
}

fn parse(text: &SecretString) -> Result<SigningKey, SigningKeyError> {
    text.expose_secret().trim().parse()
}

fn write(path: &Path, text: &SecretString) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // The name of the file is kept by its directory.
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn random_key() -> Result<(SigningKey, [u8; 32]), KeyError> {
    loop {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).map_err(|source| KeyError::NoRandomness { source })?;
        // One in 2^127 draws is outside the range of keys.
        if let Ok(key) = SigningKey::from_bytes(bytes) {
            return Ok((key, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use domain::primitives::HexError;

    use super::*;

    /// The first account of the mnemonic that every development chain knows.
    const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    fn load_file(text: &str, mode: u32) -> Result<SigningKey, KeyError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        load_key(&KeySource::File(path))
    }

    #[test]
    fn loads_a_key_with_white_space_around_it() {
        for text in [KEY.to_owned(), format!(" {KEY}\n"), KEY[2..].to_owned()] {
            assert_eq!(load_file(&text, 0o600).unwrap().address().to_string(), ADDRESS);
            let variable = KeySource::Environment(text.into());
            assert_eq!(load_key(&variable).unwrap().address().to_string(), ADDRESS);
        }
    }

    #[test]
    fn refuses_a_file_that_others_may_read() {
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let error = load_file(KEY, mode).unwrap_err();
            assert!(matches!(error, KeyError::Exposed { mode: found, .. } if found == mode), "{error}");
        }
        load_file(KEY, 0o400).unwrap();
    }

    #[test]
    fn refuses_what_is_no_key_without_showing_it() {
        let zero = load_file(&"0".repeat(64), 0o600).unwrap_err();
        let out_of_range = SigningKeyError::OutOfRange;
        assert!(matches!(zero, KeyError::MalformedFile { source, .. } if source == out_of_range));
        let error = load_key(&KeySource::Environment("correct horse".into())).unwrap_err();
        assert!(!format!("{error:?}{error}").contains("horse"));
        let malformed = SigningKeyError::Hex(HexError::Malformed);
        assert!(matches!(error, KeyError::MalformedVariable { source } if source == malformed));
        let missing = load_key(&KeySource::File("/no/such/key".into())).unwrap_err();
        assert!(matches!(missing, KeyError::Unreadable { .. }));
    }

    #[test]
    fn reads_no_more_than_a_key_takes() {
        let long = format!("{KEY}{}", " ".repeat(1000));
        load_file(&long, 0o600).unwrap();
        let late = load_file(&format!("{}{KEY}", " ".repeat(1000)), 0o600);
        assert!(matches!(late, Err(KeyError::MalformedFile { .. })));
    }

    #[test]
    fn makes_keys_that_load_again_and_differ() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        let first = create_key_file(&one).unwrap();
        let second = create_key_file(&two).unwrap();
        assert_ne!(first.address(), second.address());
        assert_eq!(std::fs::metadata(&one).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(load_key(&KeySource::File(one)).unwrap().address(), first.address());
    }

    #[test]
    fn never_writes_over_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.key");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(create_key_file(&path), Err(KeyError::Exists { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let nowhere = directory.path().join("no/such/directory");
        assert!(matches!(create_key_file(&nowhere), Err(KeyError::Unwritable { .. })));
    }
}
