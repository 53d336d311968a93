//! How statements find their rows in a school that has grown: by an index, and not by looking at everybody's.
//!
//! Each database is asked for its plan of each statement. SQLite without statistics takes every table for a large one; with those of
//! a school of some hundred learners, for a small one, and it goes by them until somebody counts anew, however large the school has
//! become. PostgreSQL goes by what it knows of the tables, so there each is filled, and told to be ten thousand times as long.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use stoa_api::{
    app::statements,
    db::Sql,
    intake::{
        Intake,
        campus::{CAMPUS_UNTIL, Campus, CampusSize},
    },
};
use stoa_testkit::{Database, School};

/// Tables that stay short however many people learn and write: all of one may be read. And why.
const SHORT: &[(&[&str], &str)] = &[
    (&["settings", "models", "access_log_head"], "a few rows of the installation"),
    (
        &[
            "courses",
            "topics",
            "course_topics",
            "course_prerequisites",
            "course_staff",
            "course_contents",
            "modules",
            "module_prerequisites",
            "lessons",
            "lesson_drafts",
            "lesson_versions",
        ],
        "the catalogue grows with what is taught, not with who learns; the filter of its page may look at all of it",
    ),
    (&["course_rollups", "enrolment_settings", "forum_categories"], "one row, or a few, for each course"),
    (&["account_roles", "open_cases"], "those who have a job function, and the cases that they have open"),
    (&["trusted_documents", "trusted_document_sources"], "what the releases of clients ask"),
    (&["notice_rounds"], "what is being told now"),
];

/// A walk through a table that grows: the area, its statements, the tables, and why it may be.
type Walk = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);

const WALKS: &[Walk] = &[
    ("intake, known", &["IS_EMPTY"], &["accounts"], "it stops at the first row"),
    (
        "intake, known",
        &["ALL_ACCOUNTS"],
        &["accounts"],
        "a file is held against all whom it may mean; no request waits",
    ),
    (
        "recommendations",
        &["INTERACTIONS"],
        &["enrolments", "consents"],
        "training reads what everybody has done, in its own time",
    ),
    (
        "recommendations, lifecycle",
        &["ENROLMENTS_STAMP"],
        &["enrolments", "consents"],
        "once a day, before a training: whether there is anything new",
    ),
    (
        "recommendations, outcome",
        &["SHOWN", "HAPPENED", "LOGGED"],
        &["recommendation_impressions", "recommendation_events"],
        "an analyst's totals, over what is kept for a limited time",
    ),
    ("mail", &["DEPTH"], &["outbox"], "through the index of what waits, which is short when mails are sent"),
];

/// What is walked through: area, statement and table, and in whose words.
type Found = BTreeMap<(&'static str, &'static str, String), String>;

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_walks_through_what_grows() {
    let short: Vec<&str> = SHORT.iter().flat_map(|(tables, _)| *tables).copied().collect();
    let mut found = Found::new();
    on_sqlite(&mut found).await;
    let on_both = match Database::postgres().await {
        Some(database) => on_postgres(database, &short, &mut found).await,
        None => false,
    };
    found.retain(|(.., table), _| !short.contains(&table.as_str()));
    let mut unused = Vec::new();
    for (area, statements, tables, why) in WALKS {
        for statement in *statements {
            if !found.keys().any(|(a, s, t)| (a, s) == (area, statement) && tables.contains(&t.as_str())) {
                unused.push(format!("{area} {statement} walks through none of {tables:?} ({why})"));
            }
        }
        for table in *tables {
            if !found.keys().any(|(a, s, t)| a == area && statements.contains(s) && t == table) {
                unused.push(format!("none of {statements:?} of {area} walks through {table} ({why})"));
            }
        }
    }
    found.retain(|(area, statement, table), _| {
        !WALKS.iter().any(|(a, statements, tables, _)| {
            a == area && statements.contains(statement) && tables.contains(&table.as_str())
        })
    });
    assert!(found.is_empty(), "an index is missing, or a reason in WALKS: {found:#?}");
    assert!(unused.is_empty() || !on_both, "exceptions that nothing needs: {unused:#?}");
}

/// PostgreSQL reads a class in the order that is asked for and stops after a page, however little it knows of the filter.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_class_does_not_cost_what_the_class_costs() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::open(database).await;
    let classes = "ALTER TABLE enrolments DROP CONSTRAINT enrolments_learner_id_fkey;
        INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, left_at, completed_at, seconds, progress_sum)
        SELECT md5(n::text)::uuid, c.id, n, n, CASE WHEN n % 4 = 0 THEN n END, CASE WHEN n % 3 = 0 THEN n END, n % 1000, n % 1000
        FROM courses c, generate_series(1, 4000) n;
        ANALYZE enrolments";
    school.execute(classes).await;
    let mut conn = PgConnection::connect(&school.database.url).await.unwrap();
    let mut count = 0;
    for (at, (_, sql)) in every_statement().filter(|(_, sql)| sql.name.starts_with("CLASS_BY_")).enumerate() {
        let plan = plan(&mut conn, at, sql).await;
        let mut next = vec![(&plan, false)];
        while let Some((step, in_page)) = next.pop() {
            assert!(!in_page || step["Node Type"] != "Sort", "{} sorts the class: {plan:#}", sql.name);
            let in_page = in_page || step["Node Type"] == "Limit";
            next.extend(step["Plans"].as_array().into_iter().flatten().map(|step| (step, in_page)));
        }
        count += 1;
    }
    assert_eq!(count, 6, "orders and directions");
}

/// What hangs on a row is looked for when it is deleted, which no plan shows.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_whose_dependents_must_be_searched_for() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::empty(database).await;
    let mut conn = PgConnection::connect(&school.database.url).await.unwrap();
    let sql = "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint c
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
              AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)";
    let searched: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut conn).await.unwrap();
    assert!(searched.contains(&"courses".to_owned()), "courses, of which none is ever deleted: {searched:?}");
    for (area, sql) in every_statement() {
        let words = words(sql.pg);
        for deleted in words.windows(3).filter(|three| three[..2] == ["DELETE", "FROM"]) {
            assert!(!searched.iter().any(|table| table == deleted[2]), "{area} {}: {}", sql.name, deleted[2]);
        }
    }
}

fn every_statement() -> impl Iterator<Item = (&'static str, &'static Sql)> {
    statements().into_iter().flat_map(|(area, statements)| statements.iter().map(move |sql| (area, sql)))
}

/// Some hundred learners, and what they did.
const CAMPUS: CampusSize = CampusSize { learners: 300, courses: 20, seed: 1, until: CAMPUS_UNTIL };

async fn on_sqlite(found: &mut Found) {
    let school = School::for_load(Database::sqlite()).await;
    plans_of_sqlite(&school, "without statistics", found).await;
    let intake = Intake::new(school.app.db.clone(), school.app.clock.clone(), school.app.accounts.clone());
    let report = intake.take(&Campus::new(CAMPUS), &mut |_, _, _| {}).await.unwrap();
    assert!(report.complete(), "{report}");
    school.app.db.analyze().await.unwrap();
    plans_of_sqlite(&school, "in a small school", found).await;
}

async fn plans_of_sqlite(school: &School, which: &str, found: &mut Found) {
    let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.unwrap();
    let tables = BTreeSet::from_iter(tables);
    assert!(SHORT.iter().flat_map(|(names, _)| *names).all(|name| tables.contains(*name)), "a table that is gone");
    for (area, sql) in every_statement() {
        let plan = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.lite));
        for step in sqlx::query(plan).fetch_all(&pool).await.unwrap() {
            let step: String = step.get("detail");
            assert!(!step.contains("(ANY("), "{area} {}: an index that is skipped through: {step}", sql.name);
            let Some(rest) = step.strip_prefix("SCAN ") else { continue };
            let (name, how) = rest.split_once(' ').unwrap_or((rest, ""));
            // Lists that come with the request, and what the index of words finds.
            let is_served = how.starts_with("VIRTUAL TABLE INDEX") && !how.starts_with("VIRTUAL TABLE INDEX 0:");
            if is_served || name.starts_with('(') || rest.contains("CONSTANT ROW") {
                continue;
            }
            for table in called(name, sql.lite, &tables) {
                found.insert((area, sql.name, table), format!("SQLite, {which}: {step}"));
            }
        }
    }
}

/// The words and signs of a statement.
fn words(text: &str) -> Vec<&str> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if is_word(first) { rest.find(|letter| !is_word(letter)) } else { Some(first.len_utf8()) };
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// The tables that a name in a plan may mean: SQLite says there what the statement calls them. None, if it is for rows that
/// the statement itself makes: those come from steps of their own.
///
/// # Panics
/// If nothing is called so.
fn called(name: &str, text: &str, tables: &BTreeSet<String>) -> BTreeSet<String> {
    if tables.contains(name) {
        return BTreeSet::from([name.to_owned()]);
    }
    let words: Vec<_> = words(text).into_iter().filter(|word| *word != "AS").collect();
    // `WITH name …`, `WITH … (…), name …`.
    let is_with = |name: &str| {
        words.windows(2).any(|two| ["WITH", "RECURSIVE"].contains(&two[0]) && two[1] == name)
            || words.windows(3).any(|three| three == [")", ",", name])
    };
    let (mut meant, mut is_made) = (BTreeSet::new(), is_with(name));
    for before in words.windows(2).filter(|two| two[1] == name).map(|two| two[0]) {
        // `(SELECT …) name`, or another name for one of the above.
        is_made |= before == ")" || is_with(before);
        meant.extend(tables.get(before).cloned());
    }
    assert!(is_made || !meant.is_empty(), "nothing is called {name} in {text}");
    meant
}

/// Two thousand rows in each table, whatever they say.
const FILLED: &str = r"
    SET session_replication_role = replica;
    DO $$
    DECLARE one RECORD; columns TEXT; contents TEXT;
    BEGIN
        FOR one IN SELECT conrelid::regclass AS of_table, conname FROM pg_constraint
            WHERE contype = 'c' AND connamespace = 'public'::regnamespace
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.of_table, one.conname);
        END LOOP;
        FOR one IN SELECT oid, relname FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '\_%'
        LOOP
            SELECT string_agg(quote_ident(attname), ','), string_agg(
                CASE WHEN attnotnull THEN '' ELSE format('CASE WHEN (n + %s) %% 3 > 0 THEN ', attnum) END ||
                CASE
                    WHEN attname = 'course_id' THEN 'md5((n % 500)::text)::uuid'
                    WHEN atttypid = 'uuid'::regtype THEN 'md5((n * 7 % 2003)::text)::uuid'
                    WHEN atttypid = 'bigint'::regtype THEN 'n'
                    WHEN atttypid = 'boolean'::regtype THEN 'n % 2 = 0'
                    WHEN atttypid = 'bytea'::regtype THEN 'decode(md5(n::text), ''hex'')'
                    WHEN atttypid = 'jsonb'::regtype THEN '''[]''::jsonb'
                    ELSE 'n::text'
                END ||
                CASE WHEN attnotnull THEN '' ELSE ' END' END, ',')
            INTO columns, contents
            FROM pg_attribute WHERE attrelid = one.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
            EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', one.relname);
            EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 2000) n ON CONFLICT DO NOTHING',
                one.relname, columns, contents);
        END LOOP;
    END $$;
    ANALYZE;
";

/// `false` where it can't be done.
async fn on_postgres(database: Database, short: &[&str], found: &mut Found) -> bool {
    let school = School::empty(database).await;
    let mut conn = PgConnection::connect(&school.database.url).await.unwrap();
    let may = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    if !sqlx::query_scalar::<_, bool>(may).fetch_one(&mut conn).await.unwrap() {
        eprintln!("only a superuser may tell PostgreSQL that tables are longer than they are");
        return false;
    }
    school.execute(FILLED).await;
    let longer = "UPDATE pg_class SET reltuples = reltuples * 10000
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL($1)";
    sqlx::query(longer).bind(short).execute(&mut conn).await.unwrap();
    let sql =
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, amname::text, pg_get_indexdef(indexrelid, 1, true)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam";
    let indexes: Vec<(String, String, String, String)> = sqlx::query_as(sql).fetch_all(&mut conn).await.unwrap();
    let indexes = indexes.into_iter().map(|(name, table, kind, first)| (name, Index { table, kind, first })).collect();
    for (at, (area, sql)) in every_statement().enumerate() {
        let plan = plan(&mut conn, at, sql).await;
        let mut next = vec![&plan];
        while let Some(step) = next.pop() {
            if let Some((table, how)) = walk(step, &indexes) {
                found.insert((area, sql.name, table), format!("PostgreSQL: {how}"));
            }
            next.extend(step["Plans"].as_array().into_iter().flatten());
        }
    }
    true
}

/// PostgreSQL's plan, as for a statement that is sent again and again: made without looking at what is asked for this time.
async fn plan(conn: &mut PgConnection, number: usize, sql: &Sql) -> Value {
    let settings = "SET plan_cache_mode = force_generic_plan; SET jit = off; SET max_parallel_workers_per_gather = 0";
    sqlx::raw_sql(settings).execute(&mut *conn).await.unwrap();
    let words = words(sql.pg);
    let parameters = words.windows(2).filter(|two| two[0] == "$").filter_map(|two| two[1].parse().ok());
    let nulls = vec!["NULL"; parameters.max().unwrap_or(0)].join(", ");
    let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let prepare = AssertSqlSafe(format!("PREPARE s{number} AS {}", sql.pg));
    sqlx::raw_sql(prepare).execute(&mut *conn).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE s{number}{nulls}"));
    let plan = sqlx::raw_sql(explain).fetch_one(conn).await.unwrap();
    let mut plan: Value = serde_json::from_str(&plan.get_unchecked::<String, _>(0)).unwrap();
    plan[0]["Plan"].take()
}

struct Index {
    table: String,
    /// Such as `btree`.
    kind: String,
    /// What it is sorted by first.
    first: String,
}

/// Whether a step of a plan looks at all of a table or of an index: at which table's, and how.
fn walk(step: &Value, indexes: &BTreeMap<String, Index>) -> Option<(String, String)> {
    let kind = step["Node Type"].as_str().unwrap();
    let name = match kind {
        "Seq Scan" => return Some((step["Relation Name"].as_str().unwrap().to_owned(), kind.to_owned())),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => step["Index Name"].as_str().unwrap(),
        _ => return None,
    };
    let index = &indexes[name];
    let condition = step["Index Cond"].as_str().unwrap_or_default();
    // A condition on what an index is not sorted by first is held against each of its entries.
    let is_served = index.kind != "btree" || words(condition).contains(&index.first.trim_matches('"'));
    (!is_served || condition.is_empty()).then(|| (index.table.clone(), format!("{kind} of {name}: {condition}")))
}
