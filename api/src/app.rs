//! What the server is made of: the services, put together once.

use crate::{
    access::Rules,
    accounts::{Accounts, secret::SecretKey},
    db::{Db, DbError, Sql},
    forum::Forum,
    progress::Learning,
    recommendations::Feed,
    sign_in::{SignIn, SignInSettings},
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
    /// Sign-up, sign-in, sessions.
    pub sign_in: SignIn,
    /// Enrolments and progress.
    pub learning: Learning,
    /// The forum.
    pub forum: Forum,
    /// Next courses.
    pub feed: Feed,
}

impl App {
    /// Puts the services on a database that is up to date.
    pub async fn new(db: Db, clock: Clock, key: SecretKey, rules: Rules) -> Result<Self, DbError> {
        db.require_current().await?;
        let accounts = Accounts::open(db.clone(), clock.clone(), key).await?;
        let settings = SignInSettings::default();
        Ok(Self {
            sign_in: SignIn::new(db.clone(), clock.clone(), accounts.clone(), settings),
            accounts,
            learning: Learning::new(db.clone(), clock.clone()),
            forum: Forum::new(db.clone(), clock.clone()),
            feed: Feed::new(db.clone(), clock.clone()),
            db,
            clock,
            rules,
        })
    }

    /// With other decisions about signing in.
    #[must_use]
    pub fn with_sign_in(self, settings: SignInSettings) -> Self {
        let sign_in = SignIn::new(self.db.clone(), self.clock.clone(), self.accounts.clone(), settings);
        Self { sign_in, ..self }
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
        ("progress", crate::progress::store::STATEMENTS),
        ("recommendations", crate::recommendations::store::STATEMENTS),
        ("sign_in", crate::sign_in::store::STATEMENTS),
        ("settings", crate::db::settings::STATEMENTS),
    ]
}
