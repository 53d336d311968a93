//! Signing up and in: passwords, sessions, the throttle, and the history of sign-ins.
//!
//! Invariant: whether there is an account with an address can't be told from what comes back, nor from the work that
//! is done for it: the same statements, one hash, and one commit either way.
//!
//! Invariant: a right password does not get through while its address is throttled.

mod change;
pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
mod password;
mod sessions;
pub(crate) mod store;
mod throttle;

use std::{path::PathBuf, sync::Arc};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    access::{Client, Viewer},
    accounts::{Accounts, CreateAccountError, model::NewAccount, secret::random_bytes},
    audit::model::{Event, EventKind},
    db::{Db, DbError, Tx},
    ids::AccountId,
    mail::model::Kind,
    time::{Clock, Timestamp},
    two_factor::{TwoFactor, model::Checked},
};
use model::{Device, Method, Origin, Outcome, Proof, SessionCookie, SignInRefusal, SignUpRefusal, Suspicion};
use password::Hasher;
pub use password::{MAX_PASSWORD, MIN_PASSWORD, PasswordRefusal};
use sessions::{viewer, written};
use store::{Candidate, NewSession, NewSignIn};
use throttle::Guard;
pub use throttle::RetryAfter;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// That a session is used is written down at most so often.
const SEEN_EVERY: i64 = 600 * SECOND;
/// For how long sign-ins are kept, in days.
const KEEP_SIGN_INS: i64 = 180;
/// So many wrong passwords in a day make a sign-in suspicious.
const MANY_FAILURES: i64 = 5;
/// Free attempts on one address, before each costs a longer wait.
const FREE_BY_ADDRESS: i64 = 5;
/// Free attempts from one network: a school may be behind it.
const FREE_BY_NETWORK: i64 = 100;
/// So many mails of a kind go to one person within so many seconds.
const MAILS: (i64, i64) = (3, 3_600);
/// Free sign-ups from one network.
const FREE_SIGN_UPS: i64 = 100;

/// What an installation decides about signing in.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// After how many days a session ends.
    pub session_days: u16,
    /// Whether an address must be verified before somebody signs in with it.
    pub verify_email: bool,
    /// A file of SHA-1 hashes of passwords that have become known, as Have I Been Pwned gives it.
    pub breached_passwords: Option<PathBuf>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self { session_days: 30, verify_email: false, breached_passwords: None, trusted_proxies: Vec::new() }
    }
}

/// The service.
#[derive(Clone)]
pub struct SignIn {
    db: Db,
    clock: Clock,
    accounts: Accounts,
    hasher: Hasher,
    two_factor: TwoFactor,
    settings: Arc<SignInSettings>,
}

impl SignIn {
    /// The service.
    pub fn new(db: Db, clock: Clock, accounts: Accounts, two_factor: TwoFactor, settings: SignInSettings) -> Self {
        let hasher = Hasher::new(settings.breached_passwords.clone());
        Self { db, clock, accounts, hasher, two_factor, settings: Arc::new(settings) }
    }

    /// What the installation decides.
    pub fn settings(&self) -> &SignInSettings {
        &self.settings
    }

    /// How often a password was hashed: the work that an answer cost.
    pub fn hashes(&self) -> u64 {
        self.hasher.runs()
    }

    /// Makes an account; for an address that is taken, its holder is told instead. The answer is the same.
    pub async fn sign_up(
        &self,
        new: NewAccount,
        password: &str,
        origin: &Origin,
    ) -> Result<Result<(), SignUpRefusal>, DbError> {
        let new = match Accounts::checked(new) {
            Ok(new) => new,
            Err(CreateAccountError::Name) => return Ok(Err(SignUpRefusal::Name)),
            Err(_) => return Ok(Err(SignUpRefusal::Email)),
        };
        let guards: Vec<_> = self.network_guard("sign-up", FREE_SIGN_UPS, origin).into_iter().collect();
        if let Err(retry) = self.take(&guards).await? {
            return Ok(Err(SignUpRefusal::Throttled(retry)));
        }
        let hash = match self.hasher.hash(password, &personal(&new.name, Some(&new.email))).await {
            Ok(hash) => hash,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        // Two at the same time with one address: the second finds it taken when it tries again.
        for _ in 0..2 {
            let holder = self.accounts.find_by_email(&new.email).await?;
            let mut tx = self.db.begin().await?;
            if let Some(holder) = holder {
                self.accounts.outbox.add_at_most(&mut tx, holder, Kind::AddressTaken, MAILS).await?;
                // Something is written either way, so that both answers wait for the disk.
                for guard in &guards {
                    store::touch(&mut tx, &guard.hash, self.clock.now()).await?;
                }
                tx.commit().await?;
                self.accounts.outbox.ring();
                return Ok(Ok(()));
            }
            let account = match self.accounts.insert(&mut tx, &new).await {
                Err(DbError::Constraint(_)) => continue,
                account => account?,
            };
            store::put_password(&mut tx, account, &hash, self.clock.now()).await?;
            self.accounts.outbox.add(&mut tx, account, Kind::VerifyAddress, "").await?;
            tx.commit().await?;
            self.accounts.outbox.ring();
            return Ok(Ok(()));
        }
        Ok(Ok(()))
    }

    /// Opens a session for whoever has address and password, and the code if there is a second factor.
    pub async fn sign_in(
        &self,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<Result<(Viewer, SessionCookie), SignInRefusal>, DbError> {
        let email_hash = self.accounts.email_hash(&proof.email);
        let device = origin.device.map(|device| self.device_hash(device));
        let candidate = store::candidate(&self.db, &email_hash, device.as_ref()).await?;
        // A browser that she has signed in from has its own count: nobody can lock her out of it from elsewhere.
        let known_device = device.filter(|_| candidate.as_ref().is_some_and(|candidate| candidate.known_device));
        let guarded = [email_hash.as_slice(), known_device.as_ref().map_or(&[], |hash| hash.as_slice())].concat();
        let by_address = Guard { hash: self.accounts.keyed_hash("sign-in", &guarded), free: FREE_BY_ADDRESS };
        let by_network = self.network_guard("sign-in network", FREE_BY_NETWORK, origin);
        let guards: Vec<_> = std::iter::once(by_address).chain(by_network).collect();
        if let Err(retry) = self.take(&guards).await? {
            return Ok(Err(SignInRefusal::Throttled(retry)));
        }

        let stored = candidate.as_ref().and_then(|candidate| candidate.password_hash.clone());
        let right = self.hasher.verify(&proof.password, stored.clone()).await;
        let holder = candidate.as_ref().map(|candidate| candidate.id);
        let Some(candidate) = candidate.filter(|_| right) else {
            self.failed(holder, &by_address, origin, device).await?;
            return Ok(Err(SignInRefusal::WrongCredentials));
        };
        let admitted = self.admitted(&candidate, proof.code.as_deref()).await?;
        if let Err((outcome, refusal)) = admitted {
            let mut tx = self.db.begin().await?;
            // That the password was right is no guess; a wrong code is, and earlier ones stay counted: else asking
            // without a code in between would make guessing codes free.
            if outcome != Outcome::WrongCode {
                for guard in &guards {
                    store::forgive_one(&mut tx, &guard.hash).await?;
                }
            }
            if outcome == Outcome::EmailNotVerified {
                self.accounts.outbox.add_at_most(&mut tx, candidate.id, Kind::VerifyAddress, MAILS).await?;
            }
            self.record(&mut tx, candidate.id, (Method::Password, outcome), origin, device, &[]).await?;
            tx.commit().await?;
            self.accounts.outbox.ring();
            return Ok(Err(refusal));
        }
        let rehashed = if stored.as_deref().is_some_and(Hasher::is_outdated) {
            Some(self.hasher.rehash(&proof.password).await)
        } else {
            None
        };
        let mut tx = self.db.begin().await?;
        let two_factor = match self.still_admitted(&mut tx, &candidate, admitted == Ok(true)).await? {
            Ok(two_factor) => two_factor,
            Err((outcome, refusal)) => {
                self.record(&mut tx, candidate.id, (Method::Password, outcome), origin, device, &[]).await?;
                tx.commit().await?;
                return Ok(Err(refusal));
            }
        };
        if let Some(hash) = rehashed {
            store::put_password(&mut tx, candidate.id, &hash, self.clock.now()).await?;
        }
        forgive(&mut tx, &guards).await?;
        let opened = self.open_in(&mut tx, candidate.id, Method::Password, two_factor, origin).await?;
        tx.commit().await?;
        self.accounts.outbox.ring();
        Ok(Ok(opened))
    }

    /// Whether somebody whose password was right may come in; then, whether she showed her second factor.
    async fn admitted(
        &self,
        candidate: &Candidate,
        code: Option<&str>,
    ) -> Result<Result<bool, (Outcome, SignInRefusal)>, DbError> {
        if candidate.is_suspended() {
            return Ok(Err((Outcome::Suspended, SignInRefusal::Suspended)));
        }
        if self.settings.verify_email && candidate.email_verified_at.is_none() {
            return Ok(Err((Outcome::EmailNotVerified, SignInRefusal::EmailNotVerified)));
        }
        if !self.two_factor.is_on(candidate.id).await? {
            return Ok(Ok(false));
        }
        match code {
            None => Ok(Err((Outcome::SecondFactorNeeded, SignInRefusal::SecondFactorNeeded))),
            Some(code) => Ok(match self.two_factor.check(candidate.id, code).await? {
                Checked::Right | Checked::RightByRecovery => Ok(true),
                Checked::Throttled(until) => {
                    Err((Outcome::WrongCode, SignInRefusal::Throttled(RetryAfter::until(until, self.clock.now()))))
                }
                Checked::Wrong | Checked::NotOn => Err((Outcome::WrongCode, SignInRefusal::WrongCode)),
            }),
        }
    }

    /// Whether what was found out before the transaction holds in it, and until it ends: a password that was changed
    /// meanwhile opens nothing, nor one without the code of a second factor that was turned on. Then, whether a second
    /// factor counts.
    async fn still_admitted(
        &self,
        tx: &mut Tx,
        candidate: &Candidate,
        code_was_right: bool,
    ) -> Result<Result<bool, (Outcome, SignInRefusal)>, DbError> {
        let held = store::lock(tx, candidate.id).await?;
        let Some(held) = held.filter(|held| candidate.password_hash.as_ref() == Some(&held.password_hash)) else {
            return Ok(Err((Outcome::WrongPassword, SignInRefusal::WrongCredentials)));
        };
        if held.is_suspended() {
            return Ok(Err((Outcome::Suspended, SignInRefusal::Suspended)));
        }
        let is_on = self.two_factor.is_on_in(tx, candidate.id).await?;
        if is_on && !code_was_right {
            return Ok(Err((Outcome::SecondFactorNeeded, SignInRefusal::SecondFactorNeeded)));
        }
        Ok(Ok(is_on))
    }

    /// Opens a session for somebody who has proved elsewhere who she is. Not for an account that is suspended.
    pub async fn open_session(
        &self,
        account: AccountId,
        method: Method,
        two_factor: bool,
        origin: &Origin,
    ) -> Result<Result<(Viewer, SessionCookie), SignInRefusal>, DbError> {
        let suspended = self.accounts.is_suspended(account).await?;
        let mut tx = self.db.begin().await?;
        if suspended {
            let device = origin.device.map(|device| self.device_hash(device));
            self.record(&mut tx, account, (method, Outcome::Suspended), origin, device, &[]).await?;
            tx.commit().await?;
            return Ok(Err(SignInRefusal::Suspended));
        }
        let opened = self.open_in(&mut tx, account, method, two_factor, origin).await?;
        tx.commit().await?;
        self.accounts.outbox.ring();
        Ok(Ok(opened))
    }

    async fn open_in(
        &self,
        tx: &mut Tx,
        account: AccountId,
        method: Method,
        two_factor: bool,
        origin: &Origin,
    ) -> Result<(Viewer, SessionCookie), DbError> {
        let (now, id, secret) = (self.clock.now(), self.clock.id::<Uuid>(), random_bytes::<32>());
        let device = origin.device.map(|device| self.device_hash(device));
        let network = origin.network.as_deref();
        let day_ago = Timestamp(now.0 - DAY);
        let (before, device_before, network_before, failures) =
            store::history(tx, account, device.as_ref(), network, day_ago).await?;
        let mut suspicious = Vec::new();
        // The first of all is from somewhere new, and so is somebody who travels, or has bought a telephone: both
        // together are not as usual.
        if before > 0 && device_before == 0 && network_before == 0 {
            suspicious.extend([Suspicion::NewDevice, Suspicion::NewNetwork]);
        }
        if failures >= MANY_FAILURES {
            suspicious.push(Suspicion::ManyFailures);
        }
        let session = NewSession {
            account,
            id,
            secret_hash: Sha256::digest(secret).into(),
            now,
            expires_at: Timestamp(now.0 + i64::from(self.settings.session_days) * DAY),
            two_factor,
            client_label: &origin.client_label,
            network,
        };
        store::insert_session(tx, &session).await?;
        if !suspicious.is_empty() {
            self.accounts.outbox.add(tx, account, Kind::NewSignIn, "").await?;
        }
        self.record(tx, account, (method, Outcome::Succeeded), origin, device, &suspicious).await?;
        Ok((viewer(account, id, two_factor, network), written(account, id, &secret)))
    }

    /// A wrong password: written to the history if there is an account. If there is none, something is written, too, so
    /// that both answers wait for the disk.
    async fn failed(
        &self,
        holder: Option<AccountId>,
        by_address: &Guard,
        origin: &Origin,
        device: Option<[u8; 32]>,
    ) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        match holder {
            Some(account) => {
                self.record(&mut tx, account, (Method::Password, Outcome::WrongPassword), origin, device, &[]).await?;
            }
            None => store::touch(&mut tx, &by_address.hash, self.clock.now()).await?,
        }
        tx.commit().await
    }

    async fn record(
        &self,
        tx: &mut Tx,
        account: AccountId,
        (method, outcome): (Method, Outcome),
        origin: &Origin,
        device_hash: Option<[u8; 32]>,
        suspicious: &[Suspicion],
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        let new = NewSignIn {
            account,
            id: self.clock.id(),
            at: now,
            method,
            outcome,
            client_label: &origin.client_label,
            network: origin.network.as_deref(),
            device_hash,
            suspicious,
        };
        store::insert_sign_in(tx, &new, Timestamp(now.0 - KEEP_SIGN_INS * DAY)).await?;
        let (kind, actor) = match outcome {
            Outcome::Succeeded => (EventKind::SignedIn, Some(account)),
            _ => (EventKind::SignInFailed, None),
        };
        let client = Some(Client::Session);
        let event =
            Event { actor, client, network: origin.network.clone(), ..Event::new(kind, account, &Viewer::ANONYMOUS) };
        let event = event.with(outcome.as_str());
        if outcome != Outcome::WrongPassword {
            return self.accounts.audit.append(tx, &[event]).await;
        }
        // Behind the answer: that an address is somebody's must not show by the time that this takes. The history,
        // written above, has it anyhow.
        let audit = self.accounts.audit.clone();
        tokio::spawn(async move {
            if let Err(error) = audit.record(vec![event]).await {
                tracing::warn!(%error, "a failed sign-in was not logged");
            }
        });
        Ok(())
    }

    async fn take(&self, guards: &[Guard]) -> Result<Result<(), RetryAfter>, DbError> {
        let mut tx = self.db.begin().await?;
        let taken = throttle::take(&mut tx, guards, self.clock.now()).await?;
        if taken.is_ok() {
            tx.commit().await?;
        }
        Ok(taken)
    }

    fn network_guard(&self, purpose: &str, free: i64, origin: &Origin) -> Option<Guard> {
        let network = origin.network.as_deref()?;
        Some(Guard { hash: self.accounts.keyed_hash(purpose, network.as_bytes()), free })
    }

    fn device_hash(&self, device: Device) -> [u8; 32] {
        self.accounts.keyed_hash("device", &device.0)
    }
}

/// After a right password: the address is free again, and the network gets its attempt back.
async fn forgive(tx: &mut Tx, guards: &[Guard]) -> Result<(), DbError> {
    if let Some((by_address, by_network)) = guards.split_first() {
        store::forgive(tx, &by_address.hash).await?;
        for guard in by_network {
            store::forgive_one(tx, &guard.hash).await?;
        }
    }
    Ok(())
}

/// What a password must not contain: the name, and the address up to its `@`.
fn personal<'a>(name: &'a str, email: Option<&'a str>) -> Vec<&'a str> {
    let local = email.and_then(|email| email.rsplit_once('@')).map(|(local, _)| local);
    std::iter::once(name).chain(local).collect()
}
