//! Most objects are written straight into the answer; a document that asks for one in two places has them made as values, which
//! are merged. Nobody can tell which it was.

use proptest::{
    strategy::Strategy as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use stoa_testkit::{Client, Pool, Queries, Query, Schema, School, Selection, What, story};

/// How many questions each viewer asks.
const QUESTIONS: usize = 120;

fn field(of: &str, name: &str, alias: Option<&str>, inside: Vec<Selection>) -> Selection {
    let what = What::Field {
        alias: alias.map(ToOwned::to_owned),
        field: (of.to_owned(), name.to_owned()),
        arguments: Vec::new(),
        is_leaf: inside.is_empty(),
    };
    Selection { what, inside }
}

/// A query that asks for `me` besides: in one place, or in two.
fn besides(query: &Query, places: usize) -> Query {
    let mut query = query.clone();
    let me = field("Query", "me", Some("besides"), vec![field("Person", "id", None, Vec::new())]);
    query.selections.extend(vec![me; places]);
    query
}

/// The answer as it is written, but for errors, whose order and ids are chance.
async fn asked(client: &Client, query: &Query) -> (String, Vec<String>) {
    let answer = client.ask_query(query).await;
    let mut errors: Vec<_> = answer.json()["errors"].as_array().into_iter().flatten().map(without_id).collect();
    errors.sort();
    let data = answer.text.find("\"data\":").map(|at| answer.text[at..].to_owned()).unwrap_or_default();
    (data, errors)
}

fn without_id(error: &Value) -> String {
    let mut error = error.clone();
    if let Some(extensions) = error["extensions"].as_object_mut() {
        extensions.remove("requestId");
    }
    error.to_string()
}

async fn writes_the_same(school: &School, who: &str) {
    let client = school.person(who).await.with_header("stoa-cost", "omit");
    let schema = Schema::ask(school.anybody()).await;
    let pool = Pool::new(school.global_ids().await, &["living-soil", "compost-step-by-step", "worms", "en"]);
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let (mut with_data, queries) = (0, Queries { schema: &schema, pool: &pool });
    for _ in 0..QUESTIONS {
        let query = queries.new_tree(&mut runner).expect("a question").current();
        // Which of several errors cuts an answer short is chance, so the same question is asked more than once.
        let mut answers = [Vec::new(), Vec::new()];
        let is_same = loop {
            for (places, answers) in (1..).zip(&mut answers) {
                answers.push(asked(&client, &besides(&query, places)).await);
            }
            if answers[0].iter().any(|answer| answers[1].contains(answer)) {
                break true;
            }
            if answers[0].len() == 6 {
                break false;
            }
        };
        assert!(
            is_same,
            "{who} asks\n\n{query}\n\nand gets {:#?}\nand with all made as values {:#?}",
            answers[0], answers[1]
        );
        with_data += usize::from(answers[0][0].0.len() > 100);
    }
    assert!(with_data > QUESTIONS / 3, "most questions are answered: {with_data}");
}

use proptest::strategy::ValueTree as _;

story! {
    async fn a_learner_reads_the_same_however_it_is_written(school) {
        writes_the_same(&school.unmetered().await, "mei").await;
    }

    async fn an_instructor_reads_the_same_however_it_is_written(school) {
        writes_the_same(&school.unmetered().await, "ana").await;
    }

    async fn what_is_asked_for_in_two_places_comes_as_one(school) {
        let mei = school.person("mei").await;
        let data = mei
            .data("{ course(slug: \"compost-step-by-step\") { title modules { title } ...More modules { lessons { title } } } }
                   fragment More on Course { modules { id } myEnrolment { progress } }")
            .await;
        let modules = data["course"]["modules"].as_array().expect("modules");
        for module in modules {
            assert!(module["title"].is_string() && module["id"].is_string() && module["lessons"].is_array(), "{module:#}");
        }
        assert!(!modules.is_empty() && data["course"]["myEnrolment"]["progress"].is_number(), "{data:#}");
    }

    async fn what_is_denied_is_told_at_its_place_in_a_list(school) {
        let ana = school.person("ana").await.with_header("stoa-denied-fields", "errors");
        let answer = ana
            .ask("{ course(slug: \"compost-step-by-step\") { learners(first: 3) { nodes { learner { name email } } } } }")
            .await;
        let paths: Vec<_> = answer["errors"].as_array().expect("errors").iter().map(|error| error["path"].clone()).collect();
        let place = |at: usize| json!(["course", "learners", "nodes", at, "learner", "email"]);
        assert!(!paths.is_empty() && (0..paths.len()).all(|at| paths.contains(&place(at))), "{answer:#}");
    }
}
