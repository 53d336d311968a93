//! Passwords: which are good enough, and how they are hashed.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::accounts::secret::random_bytes;

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 10;
/// The most characters of a password.
pub const MAX_PASSWORD: usize = 200;

/// Memory in KiB, passes and lanes of Argon2id, as OWASP advises.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Why a password was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters; this one has {0}")]
    Length(usize),
    /// It has the name or the address in it.
    #[error("the password must not contain your name or e-mail address")]
    Personal,
    /// Easily guessed.
    #[error("this password is easily guessed: take several words that have nothing to do with each other")]
    Guessable,
    /// It is on a list of passwords that have become known.
    #[error("this password is on a list of passwords that have become known: take another")]
    Breached,
}

/// Hashes passwords, on as many threads as there are cores and no more: each takes 19 MiB, and a flood of them
/// must not take the memory.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    room: Arc<Semaphore>,
    runs: Arc<AtomicU64>,
    breached: Option<PathBuf>,
    /// What a password is held against where there is none, so that both cost the same.
    decoy: Arc<str>,
}

impl Hasher {
    /// With the file of breached passwords, if there is one.
    pub(crate) fn new(breached: Option<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // A hash of the right form which no password has: checking against it costs what any check costs.
        let zeros = |bytes: usize| "A".repeat((bytes * 4).div_ceil(3));
        let (memory, passes, lanes) = COST;
        let decoy = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}", zeros(16), zeros(32));
        Self { room: Arc::new(Semaphore::new(cores)), runs: Arc::default(), breached, decoy: decoy.into() }
    }

    /// How often a password was hashed.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// The hash of a new password, as a PHC string, or why it is not good enough. `personal` are texts that it must not
    /// contain.
    pub(crate) async fn hash(&self, password: &str, personal: &[&str]) -> Result<String, PasswordRefusal> {
        let letters = password.chars().count();
        if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&letters) {
            return Err(PasswordRefusal::Length(letters));
        }
        let lower = password.to_lowercase();
        // Shorter parts are in many good passwords.
        let parts: Vec<_> =
            personal.iter().map(|text| text.trim().to_lowercase()).filter(|text| text.chars().count() >= 4).collect();
        if parts.iter().any(|part| lower.contains(part.as_str())) {
            return Err(PasswordRefusal::Personal);
        }
        let (password, breached) = (password.to_owned(), self.breached.clone());
        self.run(move || {
            let inputs: Vec<_> = parts.iter().map(String::as_str).collect();
            if zxcvbn::zxcvbn(&password, &inputs).score() < zxcvbn::Score::Three {
                return Err(PasswordRefusal::Guessable);
            }
            if breached.is_some_and(|file| is_listed(&file, &password)) {
                return Err(PasswordRefusal::Breached);
            }
            let salt = random_bytes::<16>();
            let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt);
            Ok(hash.expect("the parameters and the salt are good").to_string())
        })
        .await
    }

    /// Whether it is this password; `None` costs the same and is never.
    pub(crate) async fn verify(&self, password: &str, stored: Option<String>) -> bool {
        let (exists, stored) = (stored.is_some(), stored.unwrap_or_else(|| self.decoy.to_string()));
        // A longer one is not anybody's; hashing it would only cost.
        let password: String = password.chars().take(MAX_PASSWORD + 1).collect();
        let right = self
            .run(move || {
                PasswordHash::new(&stored)
                    .is_ok_and(|stored| argon2().verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await;
        right && exists
    }

    /// Whether a stored hash was made with other parameters than are used now.
    pub(crate) fn is_outdated(stored: &str) -> bool {
        let (memory, passes, lanes) = COST;
        !stored.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
    }

    /// Hashes anew what has just been found right.
    pub(crate) async fn rehash(&self, password: &str) -> String {
        let password = password.to_owned();
        self.run(move || {
            let hash = argon2().hash_password_with_salt(password.as_bytes(), &random_bytes::<16>());
            hash.expect("the parameters and the salt are good").to_string()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.room).acquire_owned().await.expect("the semaphore is never closed");
        self.runs.fetch_add(1, Ordering::Relaxed);
        // The room is taken for as long as the work lasts, also if whoever asked for it has gone.
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("the parameters are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether the password's SHA-1 hash is in the file: lines `HASH:COUNT` in the order of the hashes, in capitals.
fn is_listed(file: &PathBuf, password: &str) -> bool {
    use sha1::{Digest as _, Sha1};
    let hash = Sha1::digest(password.as_bytes()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"));
    match find_line(file, hash.as_bytes()) {
        Ok(found) => found,
        Err(error) => {
            // A list that can't be read must not keep everybody from setting a password.
            tracing::error!(%error, "the file of breached passwords can't be read");
            false
        }
    }
}

/// Binary search by position: the middle of what is left, from the next line's beginning on.
fn find_line(file: &PathBuf, wanted: &[u8]) -> io::Result<bool> {
    /// Longer than any line.
    const LINE: u64 = 128;
    let mut file = File::open(file)?;
    let (mut low, mut high) = (0, file.metadata()?.len());
    while low < high {
        let middle = low.midpoint(high);
        let begin = middle.saturating_sub(1);
        file.seek(SeekFrom::Start(begin))?;
        let mut part = Vec::with_capacity(2 * LINE as usize);
        (&mut file).take(2 * LINE).read_to_end(&mut part)?;
        // A line begins after a line feed, or at the file's beginning.
        let at = if middle == 0 { Some(0) } else { part.iter().position(|byte| *byte == b'\n').map(|at| at + 1) };
        let line = at.and_then(|at| part.get(at..)).and_then(|line| line.get(..wanted.len()));
        match line.map(|line| line.to_ascii_uppercase().as_slice().cmp(wanted)) {
            Some(std::cmp::Ordering::Equal) => return Ok(true),
            Some(std::cmp::Ordering::Less) => low = middle + 1,
            Some(std::cmp::Ordering::Greater) | None => high = middle,
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_wrong_with_a_password_is_said() {
        let hasher = Hasher::new(None);
        let refused = async |password: &str| hasher.hash(password, &["mei.tanaka", "Mei Tanaka"]).await.err();
        assert_eq!(refused("short").await, Some(PasswordRefusal::Length(5)));
        assert_eq!(refused(&"x".repeat(201)).await, Some(PasswordRefusal::Length(201)));
        assert_eq!(refused("I am MEI.Tanaka here").await, Some(PasswordRefusal::Personal));
        assert_eq!(refused("password1234").await, Some(PasswordRefusal::Guessable));
        assert_eq!(refused("seven otters juggle plums").await, None);
    }

    #[tokio::test]
    async fn a_password_is_found_right_and_nobody_has_the_decoys() {
        let hasher = Hasher::new(None);
        let stored = hasher.hash("seven otters juggle plums", &[]).await.unwrap();
        assert!(!Hasher::is_outdated(&stored), "{stored}");
        assert!(hasher.verify("seven otters juggle plums", Some(stored.clone())).await);
        assert!(!hasher.verify("seven otters juggle plumS", Some(stored)).await);
        let before = hasher.runs();
        assert!(!hasher.verify("seven otters juggle plums", None).await);
        assert_eq!(hasher.runs(), before + 1, "the same work is done where there is no password");
        assert!(PasswordHash::new(&hasher.decoy).is_ok(), "the decoy is a hash that Argon2 computes");
    }

    #[test]
    fn a_listed_password_is_found_wherever_it_stands_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        let lines: Vec<_> = (0..500).map(|n| format!("{:040X}:{n}", n * 7)).collect();
        std::fs::write(&file, lines.join("\r\n")).unwrap();
        for n in 0..500 {
            let (there, missing) = (format!("{:040X}", n * 7), format!("{:040X}", n * 7 + 1));
            assert!(find_line(&file, there.as_bytes()).unwrap(), "{there}");
            assert!(!find_line(&file, missing.as_bytes()).unwrap(), "{missing}");
        }
    }
}
