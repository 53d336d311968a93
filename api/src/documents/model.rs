//! Documents, what is wrong with them, and the hash of a text.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// The longest id of a document, in characters.
pub const MAX_ID: usize = 128;
/// The longest text of a document that is trusted, in bytes.
pub const MAX_TEXT: usize = 256 << 10;
/// So many documents may be trusted. Each server has their ids and hashes in memory.
pub const MAX_DOCUMENTS: usize = 50_000;
/// The longest name of a source, in characters.
pub const MAX_SOURCE: usize = 128;

/// The SHA-256 of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextHash([u8; 32]);

impl TextHash {
    /// Of this text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// As clients write it: 64 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(hash))
    }

    /// From its 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash that an id claims to be: `sha256:` and 64 digits, or the digits alone.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::parse(id.strip_prefix("sha256:").unwrap_or(id))
    }
}

impl fmt::Display for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a document can be called so: letters, digits and `:` `_` `.` `~` `-`, at most [`MAX_ID`] of them. Relay's ids are
/// MD5 hashes, those of others SHA-1 or SHA-256, sometimes behind `sha256:`.
pub fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.~-".contains(&byte))
}

/// A document of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As clients send it.
    pub id: String,
    /// The text.
    pub text: String,
}

/// A document that may be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// As clients send it.
    pub id: String,
    /// The text.
    pub text: String,
    /// The names of its operations.
    pub operations: Vec<String>,
}

/// What is wrong with one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Which document; empty where the manifest itself is meant.
    pub id: String,
    /// Line and column, where there is a place.
    pub place: Option<(usize, usize)>,
    /// What it is.
    pub reason: String,
}

impl Flaw {
    /// Of a document as a whole.
    pub fn new(id: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { id: id.into(), place: None, reason: reason.into() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = if self.id.is_empty() { "the manifest" } else { &self.id };
        match self.place {
            Some((line, column)) => write!(f, "{id}, line {line}, column {column}: {}", self.reason),
            None => write!(f, "{id}: {}", self.reason),
        }
    }
}

/// A document that is trusted, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// As clients send it.
    pub id: String,
    /// The names of its operations, with commas between them.
    pub operations: String,
    /// The manifests that it is in.
    pub sources: Vec<String>,
    /// Since when it is trusted.
    pub added_at: Timestamp,
    /// The beginning of the last day on which it was asked for.
    pub used_on: Option<Timestamp>,
    /// The length of its text.
    pub bytes: i64,
}

/// What came of adding a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// So many are new.
    pub new: usize,
    /// So many were there already.
    pub known: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_clients_write_it() {
        let hash = TextHash::of("{__typename}");
        let text = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        assert_eq!(hash.to_string(), text);
        assert_eq!(TextHash::parse(text), Some(hash));
        assert_eq!(TextHash::of_id(&format!("sha256:{text}")), Some(hash));
        assert_eq!(TextHash::from_bytes(hash.bytes()), Some(hash));
        for wrong in ["", &text[1..], &text.to_uppercase(), &format!("md5:{text}"), &text.replace('e', "g")] {
            assert_eq!(TextHash::of_id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_is_what_clients_make_of_a_text() {
        for good in ["7", "f2a6", "sha256:ecf4", "HomePage_v2-1.0~rc"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "é", "a\n", &"a".repeat(MAX_ID + 1)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
