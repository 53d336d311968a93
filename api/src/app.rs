//! What the server is made of: the services, put together once.

use std::{ops::Deref, sync::Arc};

use stoa_recommender::Registry;

use crate::{
    access::Rules,
    accounts::{Accounts, secret::SecretKey},
    announcements::Announcements,
    audit::Audit,
    bookmarks::Bookmarks,
    cases::Cases,
    courses::{CatalogueSettings, authoring::Authoring, kept::Kept},
    db::{Db, DbError, Sql},
    documents::{DocumentSettings, Documents},
    enrolling::Enrolling,
    forum::{Forum, moderation::Moderation},
    graphql::limits::LimitSettings,
    http::HttpSettings,
    live::{Live, LiveSettings},
    mail::Outbox,
    messages::Messages,
    notifications::Notifications,
    observe::{Observe, ObserveSettings},
    oidc::{
        Oidc,
        model::{OidcSettings, OidcSettingsError},
    },
    profile::Profiles,
    progress::Learning,
    recommendations::{
        Feed,
        experiments::ExperimentSettings,
        external::{EngineSettingsError, EnginesSettings},
    },
    recovery::Recovery,
    reviews::Reviews,
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
    /// Between which engines learners are split, if they are.
    pub experiment: ExperimentSettings,
    /// About live connections.
    pub live: LiveSettings,
    /// About requests.
    pub http: HttpSettings,
    /// About how much may be asked for.
    pub limits: LimitSettings,
    /// About the catalogue.
    pub catalogue: CatalogueSettings,
    /// About documents.
    pub documents: DocumentSettings,
    /// About figures and traces.
    pub observe: ObserveSettings,
}

/// The services, made once and shared: a clone is one more reference to them.
#[derive(Clone)]
pub struct App(Arc<Services>);

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// The services.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// What the installation decides about the policy.
    pub rules: Rules,
    /// Who looked at whom.
    pub audit: Audit,
    /// Mails that are to be sent.
    pub outbox: Outbox,
    /// People.
    pub accounts: Accounts,
    /// Second factors.
    pub two_factor: TwoFactor,
    /// Sign-up, sign-in, sessions.
    pub sign_in: SignIn,
    /// Verified addresses and forgotten passwords.
    pub recovery: Recovery,
    /// Sign-in with another provider, if there is one.
    pub oidc: Option<Oidc>,
    /// What people say of themselves.
    pub profiles: Profiles,
    /// Reasons to see more of a person, for a time.
    pub cases: Cases,
    /// Taking courses, and leaving them.
    pub enrolling: Enrolling,
    /// What is kept of the catalogue in memory.
    pub(crate) kept: Arc<Kept>,
    /// The authors' desk.
    pub authoring: Authoring,
    /// What learners do in their courses.
    pub learning: Learning,
    /// What learners say of courses.
    pub reviews: Reviews,
    /// What people want to find again.
    pub bookmarks: Bookmarks,
    /// The forum.
    pub forum: Forum,
    /// Keeping order in forums.
    pub moderation: Moderation,
    /// What people are notified of, and what they follow.
    pub notifications: Notifications,
    /// What instructors announce.
    pub announcements: Announcements,
    /// Private messages.
    pub messages: Messages,
    /// Next courses.
    pub feed: Feed,
    /// Who listens to what happens.
    pub live: Live,
    /// What the installation decides about requests.
    pub http: HttpSettings,
    /// How much may be asked for.
    pub limits: LimitSettings,
    /// Documents that are known.
    pub documents: Documents,
    /// Figures and traces.
    pub observe: Observe,
}

impl App {
    /// Puts the services on a database that is up to date.
    pub async fn new(db: Db, clock: Clock, key: SecretKey, settings: Settings) -> Result<Self, DbError> {
        db.require_current().await?;
        db.know_statements(&statements(), settings.observe.slow_millis);
        let audit = Audit::new(db.clone(), clock.clone(), key.clone());
        let outbox = Outbox::new(clock.clone());
        let accounts = Accounts::open(db.clone(), clock.clone(), key.clone(), audit.clone(), outbox.clone()).await?;
        let two_factor = TwoFactor::new(db.clone(), clock.clone(), key.clone(), outbox.clone());
        let notifications = Notifications::new(db.clone(), clock.clone(), key.clone());
        let forum = Forum::new(db.clone(), clock.clone(), settings.catalogue.forum_memory_bytes);
        let feed = Feed::new(db.clone(), clock.clone(), key, settings.experiment);
        let sign_in = SignIn::new(db.clone(), clock.clone(), accounts.clone(), two_factor.clone(), settings.sign_in);
        Ok(Self(Arc::new(Services {
            recovery: Recovery::new(db.clone(), clock.clone(), accounts.clone(), outbox.clone(), sign_in.clone()),
            profiles: Profiles::new(db.clone(), clock.clone()),
            cases: Cases::new(db.clone(), clock.clone(), audit.clone(), outbox.clone(), settings.rules.clone()),
            enrolling: Enrolling::new(db.clone(), clock.clone(), accounts.clone(), feed.clone()),
            authoring: Authoring::new(db.clone(), clock.clone(), accounts.clone(), audit.clone(), outbox.clone()),
            kept: Arc::new(Kept::new(&db, &settings.catalogue)),
            learning: Learning::new(db.clone(), clock.clone(), settings.catalogue.record_memory_bytes),
            reviews: Reviews::new(db.clone(), clock.clone(), accounts.clone()),
            bookmarks: Bookmarks::new(db.clone(), clock.clone()),
            moderation: Moderation::new(db.clone(), clock.clone(), forum.clone()),
            forum,
            notifications,
            announcements: Announcements::new(db.clone(), clock.clone()),
            messages: Messages::new(db.clone(), clock.clone()),
            feed,
            live: Live::new(db.clone(), settings.live),
            oidc: None,
            http: settings.http,
            limits: settings.limits,
            documents: Documents::new(db.clone(), clock.clone(), settings.documents),
            observe: Observe::new(settings.observe, &db, clock.now()),
            rules: settings.rules,
            audit,
            outbox,
            accounts,
            two_factor,
            sign_in,
            db,
            clock,
        })))
    }

    /// The same with sign-in by another provider.
    pub fn with_oidc(self, settings: OidcSettings) -> Result<Self, OidcSettingsError> {
        let mut services = Arc::unwrap_or_clone(self.0);
        let (db, clock, accounts) = (services.db.clone(), services.clock.clone(), services.accounts.clone());
        services.oidc = Some(Oidc::new(settings, db, clock, accounts, services.sign_in.clone())?);
        Ok(Self(Arc::new(services)))
    }

    /// The same with the engines that models are made of, and those outside the process.
    pub fn with_engines(self, registry: Registry, settings: &EnginesSettings) -> Result<Self, EngineSettingsError> {
        let mut services = Arc::unwrap_or_clone(self.0);
        services.feed = services.feed.with_engines(registry, settings)?;
        let (db, clock, accounts) = (services.db.clone(), services.clock.clone(), services.accounts.clone());
        services.enrolling = Enrolling::new(db, clock, accounts, services.feed.clone());
        Ok(Self(Arc::new(services)))
    }
}

/// Every statement that the stores send, by area, for the test that prepares them all on both databases.
pub fn statements() -> Vec<(&'static str, &'static [Sql])> {
    vec![
        ("accounts", crate::accounts::store::STATEMENTS),
        ("announcements", crate::announcements::store::STATEMENTS),
        ("audit", crate::audit::store::STATEMENTS),
        ("bookmarks", crate::bookmarks::store::STATEMENTS),
        ("cases", crate::cases::store::STATEMENTS),
        ("courses", crate::courses::store::STATEMENTS),
        ("enrolling", crate::enrolling::store::STATEMENTS),
        ("enrolling, cohorts", crate::enrolling::store::cohorts::STATEMENTS),
        ("enrolling, invitations", crate::enrolling::store::invitations::STATEMENTS),
        ("enrolling, waiting", crate::enrolling::store::waiting::STATEMENTS),
        ("courses, contents", crate::courses::store::contents::STATEMENTS),
        ("courses, desk", crate::courses::store::desk::STATEMENTS),
        ("courses, links", crate::courses::store::links::STATEMENTS),
        ("courses, parts", crate::courses::store::parts::STATEMENTS),
        ("documents", crate::documents::store::STATEMENTS),
        ("forum", crate::forum::store::STATEMENTS),
        ("forum, attention", crate::forum::store::attention::STATEMENTS),
        ("forum, categories", crate::forum::store::categories::STATEMENTS),
        ("forum, moderation", crate::forum::store::moderation::STATEMENTS),
        ("forum, reports", crate::forum::store::reports::STATEMENTS),
        ("forum, posts", crate::forum::store::posts::STATEMENTS),
        ("forum, revisions", crate::forum::store::revisions::STATEMENTS),
        ("forum, threads", crate::forum::store::threads::STATEMENTS),
        ("forum, heads", crate::forum::reading::store::heads::STATEMENTS),
        ("forum, reading", crate::forum::reading::store::STATEMENTS),
        ("forum, unread", crate::forum::reading::store::unread::STATEMENTS),
        ("forum, search", crate::forum::search::store::STATEMENTS),
        ("forum, votes", crate::forum::store::votes::STATEMENTS),
        ("idempotency", crate::idempotency::store::STATEMENTS),
        ("intake", crate::intake::STATEMENTS),
        ("intake, known", crate::intake::KNOWN_STATEMENTS),
        ("mail", crate::mail::store::STATEMENTS),
        ("messages", crate::messages::store::STATEMENTS),
        ("notifications", crate::notifications::store::STATEMENTS),
        ("notifications, digests", crate::notifications::store::digests::STATEMENTS),
        ("notifications, follows", crate::notifications::store::follows::STATEMENTS),
        ("notifications, preferences", crate::notifications::store::preferences::STATEMENTS),
        ("notifications, rounds", crate::notifications::store::rounds::STATEMENTS),
        ("oidc", crate::oidc::store::STATEMENTS),
        ("profile", crate::profile::store::STATEMENTS),
        ("progress", crate::progress::store::STATEMENTS),
        ("progress, activity", crate::progress::store::activity::STATEMENTS),
        ("progress, content", crate::progress::store::content::STATEMENTS),
        ("recommendations", crate::recommendations::store::STATEMENTS),
        ("recommendations, lifecycle", crate::recommendations::lifecycle::store::STATEMENTS),
        ("recommendations, feedback", crate::recommendations::store::feedback::STATEMENTS),
        ("recommendations, log", crate::recommendations::store::log::STATEMENTS),
        ("recommendations, outcome", crate::recommendations::store::outcome::STATEMENTS),
        ("recovery", crate::recovery::store::STATEMENTS),
        ("reviews", crate::reviews::store::STATEMENTS),
        ("settings", crate::db::settings::STATEMENTS),
        ("versions", crate::db::forums::STATEMENTS),
        ("sign_in", crate::sign_in::store::STATEMENTS),
        ("two_factor", crate::two_factor::store::STATEMENTS),
    ]
}
