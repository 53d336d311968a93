//! The arrows of ARCHITECTURE.md, held against the source.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments, and without its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What files whose path fits may not say, and why.
struct Rule {
    files: fn(&str) -> bool,
    never: &'static [&'static str],
    why: &'static str,
}

fn area_file(path: &str, name: &str) -> bool {
    let area = path.strip_prefix("api/src/").and_then(|rest| rest.strip_suffix(&format!("/{name}.rs")));
    area.is_some_and(|area| !area.contains('/') && area != "cli")
}

/// An area's part of the graph: `graphql.rs`, or a folder `graphql/` where that would be too long.
fn graphql_file(path: &str) -> bool {
    area_file(path, "graphql") || (path.starts_with("api/src/") && path.contains("/graphql/"))
}

const RULES: &[Rule] = &[
    Rule {
        files: |path| path.starts_with("recommender/src/"),
        never: &["sqlx", "poem", "async_graphql", "tokio", "stoa_api"],
        why: "the recommender knows nothing of SQL, HTTP or GraphQL",
    },
    Rule {
        files: |path| area_file(path, "store"),
        never: &["async_graphql", "crate::graphql", "crate::http", "poem", "access::permit", "access::show", "Shown"],
        why: "the stores know nothing of GraphQL and decide nothing",
    },
    Rule {
        files: |path| area_file(path, "model"),
        never: &["sqlx", "async_graphql", "poem", "tokio", "std::fs", "crate::graphql", "crate::http"],
        why: "models are plain types",
    },
    Rule {
        files: |path| area_file(path, "loaders"),
        never: &["sqlx", "SELECT ", "async_graphql"],
        why: "loaders batch; the SQL is in the store",
    },
    Rule {
        files: |path| graphql_file(path) || path.starts_with("api/src/graphql/") || path.starts_with("api/src/http/"),
        never: &["sqlx", "SELECT ", "INSERT INTO", "UPDATE "],
        why: "the graph and the transport hold no SQL",
    },
    Rule {
        files: |path| path.starts_with("api/src/db/"),
        never: &[
            "async_graphql",
            "crate::graphql",
            "crate::access",
            "crate::courses",
            "crate::accounts",
            "crate::forum",
            "crate::progress",
        ],
        why: "the database's room knows none of the areas",
    },
    Rule {
        files: |path| {
            path.starts_with("api/src/")
                && !graphql_file(path)
                && !path.starts_with("api/src/graphql/")
                && !path.starts_with("api/src/http/")
                && path != "api/src/access/graphql.rs"
                && path != "api/src/app.rs"
                && path != "api/src/lib.rs"
        },
        never: &["async_graphql::"],
        why: "GraphQL is spoken in the graphql files only",
    },
    Rule {
        files: |path| path.starts_with("api/src/") && path != "api/src/time.rs",
        never: &["SystemTime::now", "Uuid::now_v7", "Uuid::new_v4", "jiff::Timestamp::now"],
        why: "the clock and ids are arguments: see time.rs",
    },
    Rule {
        files: |path| {
            path.starts_with("api/src/") && path != "api/src/access/mod.rs" && path != "api/src/access/personal.rs"
        },
        never: &["Permit::granted"],
        why: "only the policy permits",
    },
    Rule {
        files: |path| {
            path.starts_with("api/src/")
                && !path.starts_with("api/src/access/")
                && path != "api/src/accounts/loaders.rs"
        },
        never: &["Standing::new(", "Facts {", "RelationSet::only(", "Relation::Oneself"],
        why: "what the viewer is to a person is found by the loader, never claimed",
    },
    Rule {
        files: |path| {
            path.starts_with("api/src/") && path != "api/src/access/standing.rs" && !path.starts_with("api/src/cli/")
        },
        never: &["Standing::operator(", ".operator("],
        why: "nobody who comes over the network is the machine's operator",
    },
    Rule {
        files: |path| path.starts_with("api/src/") && !path.starts_with("api/src/access/"),
        never: &["Shown::Visible("],
        why: "what is shown comes out of `show`, or of a `Permit` by way of a read (`Shown::from`)",
    },
    Rule {
        files: |path| path.starts_with("api/src/") && path != "api/src/access/modes.rs",
        never: &["set_mode(", "Mode::AllowAll"],
        why: "only the benches let everybody see everything",
    },
    Rule {
        files: |path| path.starts_with("api/src/") && path != "api/src/db/mod.rs" && path != "api/src/db/dialect.rs",
        never: &[".lite,", ".pg,", "sql.text("],
        why: "a statement's text comes from Db::sql or Tx::sql, which count it",
    },
];

#[test]
fn the_arrows_go_one_way() {
    let root = root();
    let mut wrong = Vec::new();
    for path in sources(&root.join("api/src")).into_iter().chain(sources(&root.join("recommender/src"))) {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let code = code(&path);
        for rule in RULES.iter().filter(|rule| (rule.files)(&name)) {
            for word in rule.never.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{name} says {word:?}: {}", rule.why));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_rule_has_files_to_look_at() {
    let root = root();
    let names: Vec<_> = sources(&root.join("api/src"))
        .into_iter()
        .chain(sources(&root.join("recommender/src")))
        .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned())
        .collect();
    for rule in RULES {
        assert!(names.iter().any(|name| (rule.files)(name)), "no file for: {}", rule.why);
    }
}

#[test]
fn the_recommenders_manifest_names_no_sql_http_or_graphql() {
    let manifest = fs::read_to_string(root().join("recommender/Cargo.toml")).unwrap();
    for word in ["sqlx", "poem", "async-graphql", "tokio", "reqwest", "hyper"] {
        assert!(!manifest.lines().any(|line| line.starts_with(word)), "{word}");
    }
}

/// Folders that ARCHITECTURE.md names are there, and every area is named in it.
#[test]
fn the_architecture_document_names_what_is_there() {
    let root = root();
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for name in text.split('`').skip(1).step_by(2).filter(|name| name.ends_with('/') && !name.contains([' ', '<', '*']))
    {
        let found = ["", "api/src/", "recommender/src/"].iter().any(|base| root.join(format!("{base}{name}")).is_dir());
        assert!(found, "ARCHITECTURE.md names {name}, which is not there");
    }
    for entry in fs::read_dir(root.join("api/src")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        assert!(text.contains(&format!("{name}/")), "ARCHITECTURE.md does not name api/src/{name}/");
    }
}

/// Long files want a reason or a split.
#[test]
fn no_file_is_too_long_to_read_at_once() {
    let root = root();
    let long: Vec<_> = sources(&root.join("api/src"))
        .into_iter()
        .chain(sources(&root.join("recommender/src")))
        .filter(|path| fs::read_to_string(path).unwrap().lines().count() > 500)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}
