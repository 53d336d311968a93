//! The schema's history, embedded in the program.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{Backend, Db, DbError, on};

/// The migrations of one database, from its folder under `migrations/`.
macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal),+ $(,)?) => {
        LazyLock::new(|| {
            Migrator::with_migrations(vec![$(
                Migration::new(
                    $version,
                    $name.into(),
                    MigrationType::Simple,
                    include_str!(concat!("../../../migrations/", $folder, "/", $name, ".sql")).into_sql_str(),
                    false,
                )
            ),+])
        })
    };
}

/// The migrations, for one database.
macro_rules! all {
    ($folder:literal) => {
        migrations!($folder: 1 "0001_first_light", 2 "0002_policy", 3 "0003_sign_in", 4 "0004_mail", 5 "0005_audit",
            6 "0006_profile", 7 "0007_feedback", 8 "0008_models", 9 "0009_learning_day", 10 "0010_authoring", 11 "0011_enrolling", 12 "0012_activity", 13 "0013_posts", 14 "0014_moderation", 15 "0015_notices", 16 "0016_talk", 17 "0017_documents", 18 "0018_catalogue_version",
            19 "0019_growth", 20 "0020_forum_versions", 21 "0021_record_versions")
    };
}

static SQLITE: LazyLock<Migrator> = all!("sqlite");
static POSTGRES: LazyLock<Migrator> = all!("postgres");

impl Db {
    fn migrator(&self) -> &'static Migrator {
        match &self.backend {
            Backend::Lite(_) => &SQLITE,
            Backend::Pg(_) => &POSTGRES,
        }
    }

    /// Applies what is missing, each migration in a transaction of its own. Answers with the numbers
    /// of the migrations that were applied now.
    pub async fn migrate(&self) -> Result<Vec<i64>, DbError> {
        let before = self.applied().await?;
        self.refuse_newer(before.last().copied().unwrap_or(0))?;
        let result = match &self.backend {
            Backend::Lite(lite) => {
                let mut lease = lite.write.lend().await?;
                let result = self.migrator().run(lease.conn()).await;
                lease.over(None);
                result
            }
            Backend::Pg(lanes) => {
                lanes.settle();
                self.migrator().run(lanes.pool()).await
            }
        };
        result.map_err(migrating)?;
        let after = self.applied().await?;
        Ok(after.into_iter().filter(|version| !before.contains(version)).collect())
    }

    /// Refuses a database that is older or newer than this program.
    pub async fn require_current(&self) -> Result<(), DbError> {
        let found = self.applied().await?.last().copied().unwrap_or(0);
        self.refuse_newer(found)?;
        let wanted = self.newest();
        if found < wanted { Err(DbError::Outdated { found, wanted }) } else { Ok(()) }
    }

    fn refuse_newer(&self, found: i64) -> Result<(), DbError> {
        let wanted = self.newest();
        if found > wanted { Err(DbError::Newer { found, wanted }) } else { Ok(()) }
    }

    fn newest(&self) -> i64 {
        self.migrator().iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// The numbers of the migrations that were applied, in order. Only reads: a replica can be asked too.
    async fn applied(&self) -> Result<Vec<i64>, DbError> {
        let has_table = match &self.backend {
            Backend::Lite(_) => "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
            Backend::Pg(_) => "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
        };
        let has_table: bool = on!(self.reader(), c => sqlx::query_scalar(has_table).fetch_one(c).await)?;
        if !has_table {
            return Ok(Vec::new());
        }
        let versions = "SELECT version FROM _sqlx_migrations ORDER BY version";
        Ok(on!(self.reader(), c => sqlx::query_scalar(versions).fetch_all(c).await)?)
    }
}

fn migrating(error: sqlx::migrate::MigrateError) -> DbError {
    match error {
        sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
            DbError::from(error)
        }
        other => DbError::Migration(other.to_string()),
    }
}
