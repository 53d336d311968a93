//! Which statements a request costs, and what they take in PostgreSQL.

use std::fmt::Write as _;

use crate::{compare::Prepared, http::Connection, operations::Operation, postgres::Postgres, servers::Server};

/// What PostgreSQL must load to count them.
pub(crate) const SETTINGS: &[&str] =
    &["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on"];

/// So often each request is asked.
const TIMES: usize = 20;

/// Microseconds of planning and of carrying out, rows and times, each for one request; the dearest first. What ends and begins
/// transactions, what looks once a while, and what the harness itself asks are left out.
const COSTS: &str = "
    SELECT round((total_plan_time * 1000 / asked)::numeric), round((total_exec_time * 1000 / asked)::numeric),
      round((rows::float8 / asked)::numeric, 1), round((calls::float8 / asked)::numeric, 2),
      left(regexp_replace(query, '\\s+', ' ', 'g'), 150)
    FROM pg_stat_statements, (SELECT ASKED::float8 AS asked) a
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls >= asked * 0.5
    ORDER BY total_plan_time + total_exec_time DESC";

/// Asks a server all requests of an operation some times, one after another, and tells what one of them cost.
pub(crate) async fn statements(
    server: &Server,
    operation: Operation,
    requests: &[Prepared],
    postgres: &Postgres,
) -> anyhow::Result<String> {
    postgres.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")?;
    let mut connection = Connection::open(server.address).await?;
    // Plans for all parameters are made after some uses.
    for request in requests.iter().cycle().take(TIMES * requests.len()) {
        connection.ask(&request.request).await?;
    }
    postgres.run("SELECT pg_stat_statements_reset()")?;
    for request in requests.iter().cycle().take(TIMES * requests.len()) {
        connection.ask(&request.request).await?;
    }
    let rows = postgres.rows(&COSTS.replace("ASKED", &(TIMES * requests.len()).to_string()))?;
    let sum = |column: usize| rows.iter().filter_map(|row| row[column].parse::<f64>().ok()).sum::<f64>();
    let mut text = format!(
        "\n{}, {}: {:.1} statements a request; in PostgreSQL {:.0} µs for plans and {:.0} µs to carry them out\n\n\
         | plan µs | carry out µs | rows | times | statement |\n|---|---|---|---|---|\n",
        operation.name(),
        server.kind.name(),
        sum(3),
        sum(0),
        sum(1)
    );
    for row in &rows {
        writeln!(text, "| {} |", row.join(" | "))?;
    }
    Ok(text)
}
