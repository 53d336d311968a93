//! A small school, the same in every story (see `fixtures/school`).
//!
//! Ana teaches *Living Soil* and *Compost*; Bo assists her and teaches *Le sol vivant*. Mei has completed
//! *Living Soil* and begun *Compost*, whose forum is open; Omar is in both; Zoe is in *Le sol vivant*.

use std::{path::Path, sync::Arc, time::Duration};

use poem::EndpointExt as _;
use stoa_api::{
    accounts::{model::SystemRole, secret::SecretKey},
    app::{App, Settings},
    db::{Db, Options},
    graphql::{global_id, limits::LimitSettings},
    http,
    ids::{
        AccountId, AnnouncementId, BookmarkId, CourseId, LessonId, ModuleId, NotificationId, PostId, ThreadId, TopicId,
    },
    intake::{Intake, Report, csv::CsvFolder},
    sign_in::model::{Method, Origin},
    time::{Clock, Timestamp},
};

use crate::{Client, Database};

/// The name under which the school's keys are imported.
pub const SCHOOL: &str = "school";

fn key() -> SecretKey {
    SecretKey::from_text("a secret key for nothing but tests").expect("a key")
}

macro_rules! global_ids {
    ($pool:expr) => {{
        let people: Vec<AccountId> = read!($pool, "SELECT id FROM accounts");
        let courses: Vec<CourseId> = read!($pool, "SELECT id FROM courses");
        let modules: Vec<ModuleId> = read!($pool, "SELECT id FROM modules");
        let lessons: Vec<LessonId> = read!($pool, "SELECT id FROM lessons");
        let topics: Vec<TopicId> = read!($pool, "SELECT id FROM topics");
        let mut ids = Vec::new();
        for course in &courses {
            let enrolments = people.iter().map(|person| ("Enrolment", global_id::enrolment(*person, *course)));
            ids.extend(enrolments.chain([("Course", global_id::course(*course))]));
        }
        ids.extend(people.into_iter().map(|id| ("Person", global_id::person(id))));
        ids.extend(modules.into_iter().map(|id| ("Module", global_id::module(id))));
        ids.extend(lessons.into_iter().map(|id| ("Lesson", global_id::lesson(id))));
        ids.extend(topics.into_iter().map(|id| ("Topic", global_id::topic(id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM forum_categories");
        ids.extend(pairs.into_iter().map(|(course, id)| ("ForumCategory", global_id::category(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM threads");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Thread", global_id::thread(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM cohorts");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Cohort", global_id::cohort(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM invitations");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Invitation", global_id::invitation(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM course_reviews");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Review", global_id::review(course, id))));
        let pairs: Vec<(AccountId, BookmarkId)> = read!($pool, as "SELECT person_id, id FROM bookmarks");
        ids.extend(pairs.into_iter().map(|(person, id)| ("Bookmark", global_id::bookmark(person, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM posts");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Post", global_id::post(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM reported_posts");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Report", global_id::report(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM announcements");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Announcement", global_id::announcement(course, id))));
        let pairs = read!($pool, as "SELECT person_id, id FROM notifications");
        ids.extend(pairs.into_iter().map(|(person, id)| ("Notification", global_id::notification(person, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM conversations");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Conversation", global_id::conversation(course, id))));
        let pairs = read!($pool, as "SELECT course_id, id FROM messages");
        ids.extend(pairs.into_iter().map(|(course, id)| ("Message", global_id::message(course, id))));
        ids
    }};
}

macro_rules! read {
    ($pool:expr, as $sql:literal) => {
        sqlx::query_as($sql).fetch_all($pool).await.expect("rows")
    };
    ($pool:expr, $sql:literal) => {
        sqlx::query_scalar($sql).fetch_all($pool).await.expect("rows")
    };
}

/// The one value that a statement finds.
macro_rules! first {
    ($school:expr, $sql:expr) => {
        if $school.database.is_sqlite() {
            let pool = sqlx::SqlitePool::connect(&$school.database.url).await.expect("the database");
            sqlx::query_scalar($sql).fetch_one(&pool).await.expect("a value")
        } else {
            let pool = sqlx::PgPool::connect(&$school.database.url).await.expect("the database");
            sqlx::query_scalar($sql).fetch_one(&pool).await.expect("a value")
        }
    };
}

/// The school, on a database of its own.
pub struct School {
    /// The services.
    pub app: App,
    /// The school's clock: it is 2026-03-02, nine o'clock, until a story moves it.
    pub clock: Clock,
    /// Where its database is.
    pub database: Database,
    anybody: Client,
}

impl School {
    /// Opens the school on an empty database.
    ///
    /// # Panics
    /// If the database does not take it.
    pub async fn open(database: Database) -> Self {
        let school = Self::empty(database).await;
        let report = school.import(&Self::fixture()).await;
        assert!(report.complete(), "{report}");
        school
    }

    /// The folder with the school's files.
    pub fn fixture() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school")
    }

    /// A school with nobody in it.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn empty(database: Database) -> Self {
        Self::with(database, Settings::default()).await
    }

    /// As [`School::empty`], for loads: nobody's budget is used up.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn for_load(database: Database) -> Self {
        Self::with(database, unmetered()).await
    }

    /// The same school, where nothing is too dear and nobody's budget is used up.
    ///
    /// # Panics
    /// If the database can't be used.
    #[must_use]
    pub async fn unmetered(self) -> Self {
        self.under(unmetered()).await
    }

    /// As [`School::empty`], with other settings.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn with(database: Database, settings: Settings) -> Self {
        let db = Db::open(&Options::create(&database.url)).await.expect("a database");
        db.migrate().await.expect("migrations");
        let clock = Clock::manual(Timestamp::parse("2026-03-02T09:00:00Z").expect("an instant"));
        let app = App::new(db, clock.clone(), key(), settings).await.expect("the services");
        let routes = Arc::new(http::routes(&app, &[]).boxed());
        let anybody = Client { routes, token: None, headers: Vec::new(), cookies: None };
        Self { app, clock, database, anybody }
    }

    /// Another server's services on the same database.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn replica(&self) -> App {
        self.replica_under(Settings::default()).await
    }

    /// As [`School::replica`], where nothing is too dear and nobody's budget is used up.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn replica_for_load(&self) -> App {
        self.replica_under(unmetered()).await
    }

    /// As [`School::replica`], with other settings.
    ///
    /// # Panics
    /// If the database can't be used.
    pub async fn replica_under(&self, settings: Settings) -> App {
        let db = Db::open(&Options::existing(&self.database.url)).await.expect("the database");
        App::new(db, self.clock.clone(), key(), settings).await.expect("the services")
    }

    /// The same school with other settings.
    ///
    /// # Panics
    /// If the database can't be used.
    #[must_use]
    pub async fn under(mut self, settings: Settings) -> Self {
        self.app = App::new(self.app.db.clone(), self.clock.clone(), key(), settings).await.expect("the services");
        self.anybody.routes = Arc::new(http::routes(&self.app, &[]).boxed());
        self
    }

    /// The same school with other settings and other connections to its database: so many, for which a statement waits a
    /// second.
    ///
    /// # Panics
    /// If the database can't be used.
    #[must_use]
    pub async fn on_connections(mut self, connections: u32, settings: Settings) -> Self {
        let options =
            Options { connections, patience: Duration::from_secs(1), ..Options::existing(&self.database.url) };
        let db = Db::open(&options).await.expect("the database");
        self.app = App::new(db, self.clock.clone(), key(), Settings::default()).await.expect("the services");
        self.under(settings).await
    }

    /// Takes the files of a folder in.
    ///
    /// # Panics
    /// If they can't be read, or the database fails.
    pub async fn import(&self, folder: &Path) -> Report {
        self.import_at(&self.app, folder).await
    }

    /// The same at another server.
    ///
    /// # Panics
    /// If they can't be read, or the database fails.
    pub async fn import_at(&self, app: &App, folder: &Path) -> Report {
        let source = CsvFolder::open(folder, SCHOOL).expect("a folder of files");
        let intake = Intake::new(app.db.clone(), self.clock.clone(), app.accounts.clone());
        intake.take(&source, &mut |_, _, _| {}).await.expect("an import")
    }

    /// Changes the database past the services, where no service can yet. `{person:mei}`, `{course:soil}`, `{lesson:soil-1}`,
    /// `{thread:t1}`, `{post:p1}` stand for ids, and `{new:7}` for one that nothing has yet.
    ///
    /// # Panics
    /// If the database does not take it.
    pub async fn execute(&self, sql: &str) {
        let is_sqlite = self.database.is_sqlite();
        let text = self.written(sql);
        let statements = sqlx::AssertSqlSafe(text);
        if is_sqlite {
            let pool = sqlx::SqlitePool::connect(&self.database.url).await.expect("the database");
            sqlx::raw_sql(statements).execute(&pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(&self.database.url).await.expect("the database");
            sqlx::raw_sql(statements).execute(&pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            pool.close().await;
        }
        // Nobody tells the server of what is done by hand.
        self.app.db.changed_by_hand();
    }

    /// A statement as [`School::execute`] takes it, with the ids in it as the database writes them.
    ///
    /// # Panics
    /// If nothing has one of the names.
    pub fn written(&self, sql: &str) -> String {
        let is_sqlite = self.database.is_sqlite();
        let mut parts = sql.split(['{', '}']);
        let mut text = parts.next().unwrap_or_default().to_owned();
        while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
            let id = self.named(name);
            text += &if is_sqlite { format!("x'{id}'") } else { format!("'{id}'::uuid") };
            text += rest;
        }
        text
    }

    /// Somebody who has not signed in, at a server with these services.
    pub fn anybody_at(&self, app: &App) -> Client {
        Client { routes: Arc::new(http::routes(app, &[]).boxed()), ..self.anybody.clone() }
    }

    /// The 32 digits of the id that `kind:key` stands for.
    fn named(&self, name: &str) -> String {
        let id = match name.split_once(':') {
            Some(("person", key)) => self.id_of(key).0,
            Some(("course", key)) => CourseId::imported(SCHOOL, key).0,
            Some(("lesson", key)) => LessonId::imported(SCHOOL, key).0,
            Some(("thread", key)) => ThreadId::imported(SCHOOL, key).0,
            Some(("post", key)) => PostId::imported(SCHOOL, key).0,
            Some(("new", number)) => return format!("{number:0>32}"),
            _ => panic!("nothing is called {name}"),
        };
        id.simple().to_string()
    }

    /// The global ids of everything in the database, each with the name of its type; of enrolments those that could be,
    /// too.
    ///
    /// # Panics
    /// If the database can't be read.
    pub async fn global_ids(&self) -> Vec<(&'static str, String)> {
        // On the heap: there are many statements, and whoever waits for this would carry room for all of them.
        Box::pin(self.read_global_ids()).await
    }

    async fn read_global_ids(&self) -> Vec<(&'static str, String)> {
        if self.database.is_sqlite() {
            let pool = sqlx::SqlitePool::connect(&self.database.url).await.expect("the database");
            global_ids!(&pool)
        } else {
            let pool = sqlx::PgPool::connect(&self.database.url).await.expect("the database");
            global_ids!(&pool)
        }
    }

    /// Somebody who has not signed in.
    pub fn anybody(&self) -> &Client {
        &self.anybody
    }

    /// One of the school's people, by key (`mei`, `ana`, …), signed in.
    ///
    /// # Panics
    /// If there is nobody with the key.
    pub async fn person(&self, key: &str) -> Client {
        let token = self.app.accounts.issue_token(self.id_of(key), "test", None).await.expect("a token");
        self.anybody.with_token(token.secret_text())
    }

    /// An instructor of the course with the largest class, signed in, and the course's slug; for the benches.
    ///
    /// # Panics
    /// If there is no such course.
    pub async fn largest_class(&self) -> (Client, String) {
        let sql = "SELECT c.slug FROM course_rollups r JOIN courses c ON c.id = r.course_id
                   JOIN course_staff s ON s.course_id = c.id ORDER BY r.learner_count DESC, s.position LIMIT 1";
        let slug: String = first!(self, sql);
        (self.instructor(&slug).await, slug)
    }

    /// The first of those who teach the course with this slug, signed in; for the benches.
    ///
    /// # Panics
    /// If there is nobody.
    pub async fn instructor(&self, slug: &str) -> Client {
        let sql = format!(
            "SELECT s.account_id FROM courses c JOIN course_staff s ON s.course_id = c.id
             WHERE c.slug = '{slug}' ORDER BY s.position LIMIT 1"
        );
        let account: AccountId = first!(self, sqlx::AssertSqlSafe(sql));
        let token = self.app.accounts.issue_token(account, "bench", None).await.expect("a token");
        self.anybody.with_token(token.secret_text())
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// If it is none.
    pub async fn count(&self, table: &str) -> i64 {
        first!(self, sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")))
    }

    /// One of the school's people in a browser, with a session.
    ///
    /// # Panics
    /// If there is nobody with the key.
    pub async fn in_browser(&self, key: &str) -> Client {
        let opened = self.app.sign_in.open_session(self.id_of(key), Method::OpenId, false, &Origin::default()).await;
        let (_, session) = opened.expect("an answer").expect("a session");
        let browser = self.anybody.browser();
        browser.set_cookie("__Host-stoa-session", session.secret_text());
        browser
    }

    /// Gives one of the school's people a role by job function.
    ///
    /// # Panics
    /// If the database does not take it.
    pub async fn grant(&self, key: &str, role: SystemRole) {
        self.app.accounts.command_role(self.id_of(key), role, true).await.expect("a role");
    }

    /// The global id of what a statement of [`School::execute`] calls `{new:N}`: of an announcement in a course.
    pub fn announcement(&self, course: &str, number: u128) -> String {
        global_id::announcement(CourseId::imported(SCHOOL, course), AnnouncementId(new_id(number)))
    }

    /// As [`School::announcement`], of a notification of somebody.
    pub fn notification(&self, person: &str, number: u128) -> String {
        global_id::notification(self.id_of(person), NotificationId(new_id(number)))
    }

    /// The account of one of the school's people.
    pub fn id_of(&self, key: &str) -> AccountId {
        self.app.accounts.imported(SCHOOL, key)
    }

    /// The global id that the graph gives to a course, by key.
    pub fn course(&self, key: &str) -> String {
        let id = CourseId::imported(SCHOOL, key);
        stoa_api::graphql::global_id::course(id)
    }

    /// The global id of a lesson, by key.
    pub fn lesson(&self, key: &str) -> String {
        stoa_api::graphql::global_id::lesson(LessonId::imported(SCHOOL, key))
    }

    /// The global id of a person, by key.
    pub fn person_node(&self, key: &str) -> String {
        stoa_api::graphql::global_id::person(self.id_of(key))
    }

    /// The global id of somebody whom the school does not know by key.
    pub fn person_node_of(&self, account: AccountId) -> String {
        global_id::person(account)
    }

    /// The global id of an enrolment, by the keys of learner and course.
    pub fn enrolment(&self, learner: &str, course: &str) -> String {
        stoa_api::graphql::global_id::enrolment(self.id_of(learner), CourseId::imported(SCHOOL, course))
    }

    /// The global id of a thread, by the keys of course and thread.
    pub fn thread(&self, course: &str, thread: &str) -> String {
        let thread = ThreadId::imported(SCHOOL, thread);
        stoa_api::graphql::global_id::thread(CourseId::imported(SCHOOL, course), thread)
    }

    /// The global id of a post, by the keys of course and post.
    pub fn post(&self, course: &str, post: &str) -> String {
        stoa_api::graphql::global_id::post(CourseId::imported(SCHOOL, course), PostId::imported(SCHOOL, post))
    }
}

/// Settings with which nothing is too dear.
pub fn unmetered() -> Settings {
    let limits = LimitSettings {
        cost: u64::MAX,
        budget: u64::MAX,
        anonymous_budget: u64::MAX,
        program_share: 100,
        ..LimitSettings::default()
    };
    Settings { limits, ..Settings::default() }
}

/// The id that `{new:N}` stands for.
fn new_id(number: u128) -> uuid::Uuid {
    format!("{number:0>32}").parse().expect("an id")
}
