//! `stoa schema --as ROLE`: the schema as somebody in a role sees it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stoa_api::{
    access::Relation,
    accounts::model::SystemRole,
    graphql::{
        self,
        schema_view::{FOR_ANYBODY, FOR_ROLES, Role, sdl_as},
    },
};
use stoa_testkit::{Client, School, story};

/// The fields of a schema's text as `Type.field`, each with the rest of its line: its type and directives.
fn fields(sdl: &str) -> Vec<(String, String)> {
    let (mut found, mut ty, mut field, mut is_quoted) = (Vec::new(), String::new(), String::new(), false);
    for line in sdl.lines() {
        if line.trim() == "\"\"\"" {
            is_quoted = !is_quoted;
        } else if is_quoted || line.trim_start().starts_with('"') || line.starts_with('#') {
            // What it says of itself.
        } else if let Some(rest) = line.strip_prefix("type ").or_else(|| line.strip_prefix("interface ")) {
            rest.split([' ', '{']).next().unwrap().clone_into(&mut ty);
        } else if line == "}" {
            ty.clear();
        } else if !ty.is_empty() && line.starts_with("  ") && !line.starts_with("    ") {
            if !line.starts_with("  )") {
                line.trim().split(['(', ':']).next().unwrap().clone_into(&mut field);
            }
            if !line.ends_with('(') {
                found.push((format!("{ty}.{field}"), line.trim().to_owned()));
            }
        }
    }
    found
}

fn names(sdl: &str) -> BTreeSet<String> {
    fields(sdl).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_field_stays_exactly_if_the_role_can_see_it_of_somebody() {
    let all = fields(&graphql::sdl());
    assert!(all.len() > 800, "{}", all.len());
    for role in Role::ALL {
        let seen = names(&sdl_as(role));
        for (name, line) in &all {
            let Some((_, audience)) = line.split_once("seenBy: [") else { continue };
            let audience: Vec<Relation> =
                audience.split(']').next().unwrap().split(", ").map(|relation| relation.parse().unwrap()).collect();
            let is_for = audience.iter().any(|relation| role.relations().contains(relation));
            let owner = name.split('.').next().unwrap();
            let is_reached = seen.iter().any(|seen| seen.split('.').next() == Some(owner));
            assert!(
                !is_for || seen.contains(name) || !is_reached || !leads_anywhere(&seen, line),
                "{} lacks {name}",
                role.as_str()
            );
            assert!(is_for || !seen.contains(name), "{} has {name}", role.as_str());
        }
    }
}

/// Whether the type that a field leads to has anything that can be seen; numbers and texts have.
fn leads_anywhere(seen: &BTreeSet<String>, line: &str) -> bool {
    let ty = line.rsplit_once(" @personal").unwrap().0.rsplit(": ").next().unwrap();
    let ty = ty.split(" @").next().unwrap().trim_matches(['[', ']', '!']);
    let all = names(&graphql::sdl());
    let of = |names: &BTreeSet<String>| names.iter().any(|name| name.split('.').next() == Some(ty));
    !of(&all) || of(seen)
}

#[test]
fn what_sets_the_roles_apart_shows() {
    let seen = |role| names(&sdl_as(role));
    let differ = |more: Role, less: Role| {
        seen(more).difference(&seen(less)).filter(|name| !name.starts_with("Mutation.")).cloned().collect::<Vec<_>>()
    };
    // An assistant sees of somebody, be it herself, whatever an instructor sees; of whom differs.
    assert_eq!(differ(Role::Instructor, Role::Assistant), Vec::<String>::new());
    let taught = differ(Role::Instructor, Role::Learner);
    assert!(
        taught.contains(&"Course.learners".to_owned()) && taught.contains(&"Course.statistics".to_owned()),
        "{taught:?}"
    );
    assert!(differ(Role::Learner, Role::Analyst).contains(&"Post.body".to_owned()));
    assert_eq!(differ(Role::Anybody, Role::Learner), Vec::<String>::new());
    // Of whom, says the audience.
    let line = |role, field: &str| {
        fields(&sdl_as(role)).into_iter().find(|(name, _)| name == field).map(|(_, line)| line).unwrap_or_default()
    };
    assert!(line(Role::Instructor, "Person.email").ends_with("@personal(category: CONTACT, seenBy: [ONESELF])"));
    assert!(line(Role::Support, "Person.email").ends_with("seenBy: [ONESELF, SUPPORT])"));
    assert!(line(Role::Assistant, "Enrolment.progress").ends_with("seenBy: [ONESELF, STAFF, FORMER_STAFF])"));
}

#[test]
fn the_head_says_what_was_left_out_and_who_sees_it() {
    let sdl = sdl_as(Role::Learner);
    let head: Vec<_> = sdl.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(head.iter().any(|line| line.contains(" Course.learners ") && line.ends_with(": STAFF")), "{head:?}");
    assert!(head.contains(&"#   Mutation.grantRole"), "{head:?}");
    assert!(head.contains(&"#   CourseStatistics"), "{head:?}");
    assert!(!sdl.contains("\ntype CourseStatistics"), "nothing leads there");
    // The whole schema has no head.
    assert!(!graphql::sdl().starts_with('#'));
}

async fn somebody(school: &School, role: Role) -> Client {
    match role {
        Role::Anybody => school.anybody().clone(),
        Role::Learner => school.person("zoe").await,
        Role::Support => school.person("bo").await,
        Role::Administrator => school.person("omar").await,
        _ => school.person("ana").await,
    }
}

/// A value for an argument that must be given.
fn value(of: &Value, types: &Value) -> Value {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => value(&of["ofType"], types),
        "LIST" => json!([]),
        _ => {
            let name = of["name"].as_str().unwrap();
            let ty = types.as_array().unwrap().iter().find(|ty| ty["name"] == name).unwrap();
            match (ty["kind"].as_str().unwrap(), name) {
                ("ENUM", _) => ty["enumValues"][0]["name"].clone(),
                ("INPUT_OBJECT", _) => {
                    let fields = ty["inputFields"].as_array().unwrap().iter();
                    let needed =
                        |field: &&Value| field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null();
                    let take =
                        |field: &Value| (field["name"].as_str().unwrap().to_owned(), value(&field["type"], types));
                    if ty["isOneOf"] == true {
                        return Value::Object(fields.take(1).map(take).collect());
                    }
                    Value::Object(fields.filter(needed).map(take).collect())
                }
                (_, "Int" | "Float") => json!(1),
                (_, "Boolean") => json!(true),
                (_, "DateTime") => json!("2026-03-02T09:00:00Z"),
                _ => json!("x"),
            }
        }
    }
}

story! {
    async fn whoever_has_not_signed_in_can_do_only_what_the_view_has(school) {
        let anybody = school.anybody();
        let schema = "{ __schema { types { name kind isOneOf enumValues { name } inputFields { name defaultValue type { ...named } }
            fields(includeDeprecated: true) { name args { name defaultValue type { ...named } } } } } }
            fragment named on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
        let types = anybody.data(schema).await["__schema"]["types"].take();
        let mutation = types.as_array().unwrap().iter().find(|ty| ty["name"] == "Mutation").unwrap();
        let mut asked = 0;
        for field in mutation["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let arguments = field["args"].as_array().unwrap().iter();
            let needed: Vec<_> = arguments.filter(|argument| argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null()).collect();
            let variables: serde_json::Map<_, _> = needed
                .iter()
                .map(|argument| (argument["name"].as_str().unwrap().to_owned(), value(&argument["type"], &types)))
                .collect();
            let declared: Vec<_> = needed.iter().map(|argument| format!("${}: {}!", argument["name"].as_str().unwrap(), argument["type"]["ofType"]["name"].as_str().unwrap_or("x"))).collect();
            if declared.iter().any(|declared| declared.contains(": x!")) {
                continue; // a list: there are few, and others like them
            }
            let given: Vec<_> = needed.iter().map(|argument| format!("{0}: ${0}", argument["name"].as_str().unwrap())).collect();
            let (declared, given) = if needed.is_empty() { (String::new(), String::new()) } else { (format!("({})", declared.join(", ")), format!("({})", given.join(", "))) };
            let answer = anybody.ask_with(&format!("mutation{declared} {{ {name}{given} {{ __typename }} }}"), Value::Object(variables)).await;
            // Some look at the id first.
            let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
            let refused = matches!(code, "UNAUTHENTICATED" | "BAD_USER_INPUT");
            assert_eq!(refused, !FOR_ANYBODY.contains(&name), "{name}: {answer}");
            asked += 1;
        }
        assert!(asked > 100, "{asked}");
        let seen = names(&sdl_as(Role::Anybody));
        let mutations: Vec<_> = seen.iter().filter_map(|name| name.strip_prefix("Mutation.")).collect();
        let mut all = FOR_ANYBODY.to_vec();
        all.sort_unstable();
        assert_eq!(mutations, all);
    }

    async fn what_is_for_some_roles_is_forbidden_to_the_others(school) {
        let case = "personId: \"x\", reason: \"She asked for it.\", ticket: \"1\", categories: [LEARNING_RECORD], minutes: 20";
        school.grant("bo", SystemRole::Support).await;
        school.grant("omar", SystemRole::Administrator).await;
        for (ty, field, roles) in FOR_ROLES {
            let query = match *field {
                "cases" => "{ cases(first: 1) { nodes { id } } }".to_owned(),
                "openCase" => format!("mutation {{ openCase(input: {{ {case} }}) {{ userErrors {{ code }} }} }}"),
                "grantRole" | "revokeRole" => format!("mutation {{ {field}(accountId: \"x\", role: ANALYST) {{ userErrors {{ code }} }} }}"),
                field => format!("mutation {{ {field}(caseId: \"x\") {{ userErrors {{ code }} }} }}"),
            };
            for role in [Role::Anybody, Role::Learner, Role::Instructor, Role::Support, Role::Administrator] {
                let answer = somebody(&school, role).await.ask(&query).await;
                let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
                let refused = matches!(code, "FORBIDDEN" | "UNAUTHENTICATED");
                assert_eq!(refused, !roles.contains(&role), "{ty}.{field} as {}: {answer}", role.as_str());
                assert_eq!(names(&sdl_as(role)).contains(&format!("{ty}.{field}")), !refused, "{field}");
            }
        }
    }
}
