//! The installation's secret key, and what is made with it.

use std::{fmt, fs, io::Write as _, path::Path};

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The length of the random part of what is sealed. So long that it never comes twice.
const NONCE: usize = 24;

/// The key for hashes that must not be guessable from the database alone.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The key is too short to be secret.
    #[error("secret_key has {0} characters: at least 32 are needed, for example from `openssl rand -hex 32`")]
    TooShort(usize),
    /// The key's file can't be read or written.
    #[error("the secret key file {path} can't be used: {cause}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl SecretKey {
    /// From a text of at least 32 characters.
    pub fn from_text(text: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        if text.chars().count() < 32 {
            return Err(SecretKeyError::TooShort(text.chars().count()));
        }
        Ok(Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// From a file; a file that is missing is made, readable by its owner only.
    pub fn from_file(path: &Path) -> Result<Self, SecretKeyError> {
        let failed = |cause| SecretKeyError::File { path: path.display().to_string(), cause };
        match fs::read_to_string(path) {
            Ok(text) => Self::from_text(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder).map_err(failed)?;
                }
                // Whole or not at all, and the first of two that begin at once wins.
                let text = hex(&random_bytes::<32>());
                let made = path.with_extension(format!("{}.new", std::process::id()));
                let mut options = fs::OpenOptions::new();
                options.write(true).create(true).truncate(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(&made).map_err(failed)?;
                file.write_all(text.as_bytes()).map_err(failed)?;
                file.sync_all().map_err(failed)?;
                let linked = fs::hard_link(&made, path);
                fs::remove_file(&made).map_err(failed)?;
                match linked {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(failed(error)),
                }
                let text = fs::read_to_string(path).map_err(failed)?;
                Self::from_text(&text)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// HMAC-SHA-256 of `data` for one `purpose`.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.hasher(purpose).hash(data)
    }

    /// As [`SecretKey::keyed_hash`], for much data of one `purpose`: what the key has to do with it is reckoned once.
    pub(crate) fn hasher(&self, purpose: &str) -> Hasher {
        // A key of any length is accepted by HMAC, so this can't fail.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        Hasher(mac)
    }

    /// Seals what must be read again, such as the secret of a second factor: for one `purpose` and one `owner`, so
    /// that what was sealed for somebody opens for nobody else.
    pub(crate) fn seal(&self, purpose: &str, owner: Uuid, data: &[u8]) -> Vec<u8> {
        let nonce = random_bytes::<NONCE>();
        let sealed = self.cipher(purpose).encrypt(&XNonce::from(nonce), Payload { msg: data, aad: owner.as_bytes() });
        // The cipher refuses only what is longer than 256 GiB.
        let Ok(sealed) = sealed else { unreachable!("there is no such length") };
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed; `None` if it was changed, or sealed for another purpose, owner or key.
    pub(crate) fn unseal(&self, purpose: &str, owner: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher(purpose).decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: owner.as_bytes() }).ok()
    }

    /// Seals so that the same data is always sealed alike: for what is to be compared, and given back by whoever it was
    /// given to. The nonce is a keyed hash of the data, so it repeats for the same data only.
    pub(crate) fn seal_alike(&self, purpose: &str, data: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&self.keyed_hash("nonce", &[purpose.as_bytes(), &[0], data].concat())[..NONCE]);
        let Ok(sealed) = self.cipher(purpose).encrypt(&XNonce::from(nonce), data) else {
            unreachable!("there is no such length")
        };
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SecretKey::seal_alike`] sealed.
    pub(crate) fn unseal_alike(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher(purpose).decrypt(&XNonce::from(*nonce), sealed).ok()
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.keyed_hash("seal", purpose.as_bytes())))
    }

    /// Tells keys apart without telling anything of the key.
    pub fn fingerprint(&self) -> String {
        hex(&self.keyed_hash("fingerprint", b"")[..8])
    }
}

/// A keyed hash that knows its key and its purpose, and has no data yet.
pub(crate) struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// The hash of `data`.
    pub(crate) fn hash(&self, data: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(data);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret key>")
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// If the operating system has no randomness to give: then nothing secret can be made.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/stoa.key");
        let made = SecretKey::from_file(&path).unwrap();
        let read = SecretKey::from_file(&path).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert!(matches!(SecretKey::from_text("short"), Err(SecretKeyError::TooShort(5))));
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_and_purpose_only() {
        let key = SecretKey::from_text("a secret key for nothing but tests").unwrap();
        let (ada, eve) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = key.seal("factor", ada, b"secret");
        assert_eq!(key.unseal("factor", ada, &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_ne!(key.seal("factor", ada, b"secret"), sealed, "each seal is another");
        assert_eq!(key.unseal("factor", eve, &sealed), None);
        assert_eq!(key.unseal("mail", ada, &sealed), None);
        for at in [0, 24, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.unseal("factor", ada, &changed), None, "byte {at}");
        }
        assert_eq!(key.unseal("factor", ada, &sealed[..10]), None);
    }
}
