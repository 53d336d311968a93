//! What the server is made of: the services, put together once.

use std::sync::Arc;

use crate::{
    access::Rules,
    accounts::{
        Accounts,
        door::{Closed, Door},
        secret::SecretKey,
    },
    db::{Db, DbError, Sql},
    forum::Forum,
    mail::Outbox,
    oidc::{
        Oidc,
        model::{OidcSettings, OidcSettingsError},
    },
    progress::Learning,
    recommendations::Feed,
    recovery::Recovery,
    time::Clock,
};

/// The services; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// What the installation decides about the policy.
    pub rules: Rules,
    /// People.
    pub accounts: Accounts,
    /// Enrolments and progress.
    pub learning: Learning,
    /// The forum.
    pub forum: Forum,
    /// Next courses.
    pub feed: Feed,
    /// Mails that are to be sent.
    pub outbox: Outbox,
    /// Verified addresses and forgotten passwords.
    pub recovery: Recovery,
    /// Sign-in with another provider, if there is one.
    pub oidc: Option<Oidc>,
    door: Arc<dyn Door>,
}

impl App {
    /// Puts the services on a database that is up to date.
    pub async fn new(db: Db, clock: Clock, key: SecretKey, rules: Rules) -> Result<Self, DbError> {
        db.require_current().await?;
        let accounts = Accounts::open(db.clone(), clock.clone(), key).await?;
        let outbox = Outbox::new(clock.clone());
        let door: Arc<dyn Door> = Arc::new(Closed);
        Ok(Self {
            recovery: Recovery::new(db.clone(), clock.clone(), accounts.clone(), outbox.clone(), Arc::clone(&door)),
            oidc: None,
            outbox,
            door,
            accounts,
            learning: Learning::new(db.clone(), clock.clone()),
            forum: Forum::new(db.clone(), clock.clone()),
            feed: Feed::new(db.clone(), clock.clone()),
            db,
            clock,
            rules,
        })
    }

    /// The same with somebody at the door: who sets passwords and opens sessions.
    #[must_use]
    pub fn with_door(mut self, door: Arc<dyn Door>) -> Self {
        let (db, clock, accounts) = (self.db.clone(), self.clock.clone(), self.accounts.clone());
        self.recovery = Recovery::new(db, clock, accounts, self.outbox.clone(), Arc::clone(&door));
        self.door = door;
        self
    }

    /// The same with sign-in by another provider.
    pub fn with_oidc(mut self, settings: OidcSettings) -> Result<Self, OidcSettingsError> {
        let (db, clock, accounts) = (self.db.clone(), self.clock.clone(), self.accounts.clone());
        self.oidc = Some(Oidc::new(settings, db, clock, accounts, Arc::clone(&self.door))?);
        Ok(self)
    }
}

/// Every statement that the stores send, by area, for the test that prepares them all on both databases.
pub fn statements() -> Vec<(&'static str, &'static [Sql])> {
    vec![
        ("accounts", crate::accounts::store::STATEMENTS),
        ("courses", crate::courses::store::STATEMENTS),
        ("forum", crate::forum::store::STATEMENTS),
        ("intake", crate::intake::STATEMENTS),
        ("intake, known", crate::intake::KNOWN_STATEMENTS),
        ("mail", crate::mail::store::STATEMENTS),
        ("oidc", crate::oidc::store::STATEMENTS),
        ("progress", crate::progress::store::STATEMENTS),
        ("recommendations", crate::recommendations::store::STATEMENTS),
        ("recovery", crate::recovery::store::STATEMENTS),
        ("settings", crate::db::settings::STATEMENTS),
    ]
}
