//! What is asked, and by whom.

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{http, postgres::Postgres};

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Operation {
    /// A page of the catalogue, and the forum of a course.
    #[value(alias = "a")]
    Catalogue,
    /// What a learner sees first.
    #[value(alias = "b")]
    Home,
    /// A class, as its instructor sees it; each look is logged.
    #[value(alias = "c")]
    Class,
}

impl Operation {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Home => "home",
            Self::Class => "class",
        }
    }

    const fn document(self) -> (&'static str, &'static str) {
        match self {
            Self::Catalogue => ("Catalogue", include_str!("../operations/catalogue.graphql")),
            Self::Home => ("Home", include_str!("../operations/home.graphql")),
            Self::Class => ("Class", include_str!("../operations/class.graphql")),
        }
    }

    /// How many viewers there must be at least.
    const fn at_least(self) -> usize {
        match self {
            Self::Catalogue | Self::Home => 32,
            Self::Class => 8,
        }
    }

    /// Who asks, and for which course: learners in courses with twenty threads and more, learners with records and several
    /// courses, instructors of at least fifty learners whose records are kept.
    const fn viewers(self) -> &'static str {
        match self {
            Self::Catalogue => {
                "SELECT DISTINCT ON (e.learner_id) e.learner_id AS id, c.slug FROM enrolments e JOIN courses c ON c.id = e.course_id
                 WHERE e.left_at IS NULL AND c.status = 'PUBLISHED'
                   AND 20 <= (SELECT COUNT(*) FROM threads t WHERE t.course_id = c.id AND t.merged_into IS NULL)
                 ORDER BY e.learner_id, md5(e.learner_id::text || c.slug)"
            }
            Self::Home => {
                "SELECT e.learner_id AS id, '' AS slug FROM enrolments e WHERE e.left_at IS NULL
                   AND EXISTS (SELECT 1 FROM lesson_progress p WHERE p.learner_id = e.learner_id AND p.course_id = e.course_id)
                 GROUP BY e.learner_id HAVING COUNT(*) >= 5"
            }
            Self::Class => {
                "SELECT DISTINCT ON (c.id) s.account_id AS id, c.slug FROM courses c JOIN course_staff s ON s.course_id = c.id
                 WHERE s.role = 'INSTRUCTOR' AND 50 <= (SELECT COUNT(*) FROM enrolments e WHERE e.course_id = c.id
                   AND COALESCE(e.left_at, e.completed_at, 9000000000000000) > extract(epoch FROM now() - interval '360 days') * 1000000)
                 ORDER BY c.id, s.position"
            }
        }
    }

    /// Every request of the operation, by at most `most` viewers.
    pub(crate) fn requests(self, postgres: &Postgres, most: usize) -> anyhow::Result<Vec<Asked>> {
        let sql = format!(
            "SELECT {TOKEN}, v.slug FROM ({}) v ORDER BY md5(v.id::text || v.slug) LIMIT {most}",
            self.viewers()
        );
        let rows = postgres.rows(&sql)?;
        if rows.len() < self.at_least() {
            bail!("the campus has {} viewers for {}: too small", rows.len(), self.name());
        }
        let (name, document) = self.document();
        rows.into_iter()
            .map(|row| {
                let [token, slug] = row.try_into().ok().context("two columns")?;
                let variables =
                    if slug.is_empty() { serde_json::json!({}) } else { serde_json::json!({ "slug": slug }) };
                let body = serde_json::json!({ "query": document, "operationName": name, "variables": variables });
                Ok(Asked { token, slug, body: body.to_string() })
            })
            .collect()
    }
}

/// The secret of an account's token: 32 bytes that anybody can work out, for a database that lives for minutes.
const SECRET: &str = "sha256(uuid_send(v.id) || 'peers'::bytea)";
/// The token of `v.id`, as `api/src/accounts` writes it.
const TOKEN: &str = "'stoa_' || translate(encode(uuid_send(v.id) || sha256(uuid_send(v.id) || 'peers'::bytea), 'base64'), E'+/=\\n', '-_')";

/// Gives everybody a token, in the form in which Stoa keeps them. `stoa token` makes one in a process each, and not for who has no
/// address. They count as used tomorrow, so that nothing is written about their use today.
pub(crate) fn give_tokens(postgres: &Postgres) -> anyhow::Result<()> {
    postgres.run(&format!(
        "INSERT INTO access_tokens (account_id, id, secret_hash, label, scopes, two_factor, created_at, last_used_at)
         SELECT v.id, gen_random_uuid(), sha256({SECRET}), 'peers', 'READ,WRITE,PEOPLE,ACCOUNT', TRUE,
           (extract(epoch FROM now()) * 1000000)::bigint, (extract(epoch FROM now() + interval '1 day') * 1000000)::bigint
         FROM accounts v ON CONFLICT DO NOTHING"
    ))
}

/// A request.
pub(crate) struct Asked {
    token: String,
    /// For which course, if for one.
    pub(crate) slug: String,
    body: String,
}

impl Asked {
    /// As it goes to this server.
    pub(crate) fn wire(&self, address: std::net::SocketAddr) -> Vec<u8> {
        http::request(address, &self.token, &self.body)
    }
}
