//! What a database says of itself, for `stoa doctor`.

use super::{Backend, Db, DbError, on};

/// What a database says of itself.
#[derive(Clone, Debug)]
pub(crate) enum Health {
    /// The embedded one.
    Lite {
        version: String,
        /// `wal`, if all is well.
        journal_mode: String,
    },
    /// The server.
    Pg {
        version: String,
        /// Such as 160003.
        version_number: i32,
        /// How many connections it takes, without those that it keeps for its own administrators.
        most: i64,
        /// How many there are, also of others.
        used: i64,
        encoding: String,
        collation: String,
        /// Its clock, in microseconds since 1970.
        now: i64,
    },
}

impl Db {
    /// Asks the database about itself.
    pub(crate) async fn health(&self) -> Result<Health, DbError> {
        match self.reader() {
            Backend::Lite(c) => {
                let version = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(c).await?;
                let Backend::Lite(c) = self.reader() else { unreachable!("it is SQLite") };
                let journal_mode = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(c).await?;
                Ok(Health::Lite { version, journal_mode })
            }
            Backend::Pg(c) => {
                let sql = "SELECT current_setting('server_version'), current_setting('server_version_num')::int,
                    current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
                    (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                    pg_encoding_to_char(encoding)::text, datcollate::text,
                    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                    FROM pg_database WHERE datname = current_database()";
                let (version, version_number, most, used, encoding, collation, now) =
                    sqlx::query_as(sql).fetch_one(c).await?;
                Ok(Health::Pg { version, version_number, most, used, encoding, collation, now })
            }
        }
    }

    /// What is wrong with a SQLite file, as far as it can be found without reading all of its indexes; nothing of
    /// PostgreSQL, which looks after itself.
    pub(crate) async fn flaws(&self) -> Result<Vec<String>, DbError> {
        let sql = match self.backend {
            Backend::Lite(_) => "PRAGMA quick_check(5)",
            Backend::Pg(_) => "SELECT 'ok'",
        };
        let said: Vec<String> = on!(self.reader(), c => sqlx::query_scalar(sql).fetch_all(c).await)?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }
}
