//! What the server is made of: the services, put together once.

use crate::{
    access::Rules,
    accounts::{Accounts, secret::SecretKey},
    audit::Audit,
    cases::Cases,
    db::{Db, DbError, Sql},
    forum::Forum,
    profile::Profiles,
    progress::Learning,
    recommendations::Feed,
    sign_in::{SignIn, SignInSettings},
    time::Clock,
    two_factor::TwoFactor,
};

/// What an installation decides.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// About who may see what.
    pub rules: Rules,
    /// About signing in.
    pub sign_in: SignInSettings,
}

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
    /// Who looked at whom.
    pub audit: Audit,
    /// Reasons to see more of a person, for a time.
    pub cases: Cases,
    /// What people say of themselves.
    pub profiles: Profiles,
    /// Second factors.
    pub two_factor: TwoFactor,
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
    pub async fn new(db: Db, clock: Clock, key: SecretKey, settings: Settings) -> Result<Self, DbError> {
        let rules = settings.rules;
        db.require_current().await?;
        let accounts = Accounts::open(db.clone(), clock.clone(), key.clone()).await?;
        let audit = Audit::new(db.clone(), clock.clone(), key.clone());
        Ok(Self {
            sign_in: SignIn::new(db.clone(), clock.clone(), accounts.clone(), settings.sign_in),
            accounts,
            cases: Cases::new(db.clone(), clock.clone(), audit.clone(), rules.clone()),
            audit,
            profiles: Profiles::new(db.clone(), clock.clone()),
            two_factor: TwoFactor::new(db.clone(), clock.clone(), key),
            learning: Learning::new(db.clone(), clock.clone()),
            forum: Forum::new(db.clone(), clock.clone()),
            feed: Feed::new(db.clone(), clock.clone()),
            db,
            clock,
            rules,
        })
    }
}

/// Every statement that the stores send, by area, for the test that prepares them all on both databases.
pub fn statements() -> Vec<(&'static str, &'static [Sql])> {
    vec![
        ("accounts", crate::accounts::store::STATEMENTS),
        ("audit", crate::audit::store::STATEMENTS),
        ("cases", crate::cases::store::STATEMENTS),
        ("courses", crate::courses::store::STATEMENTS),
        ("forum", crate::forum::store::STATEMENTS),
        ("intake", crate::intake::STATEMENTS),
        ("intake, known", crate::intake::KNOWN_STATEMENTS),
        ("profile", crate::profile::store::STATEMENTS),
        ("progress", crate::progress::store::STATEMENTS),
        ("recommendations", crate::recommendations::store::STATEMENTS),
        ("sign_in", crate::sign_in::store::STATEMENTS),
        ("settings", crate::db::settings::STATEMENTS),
        ("two_factor", crate::two_factor::store::STATEMENTS),
    ]
}
