//! Engines outside the process: lists that they make, and what happens when they make none.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, endpoint::make, http::StatusCode};
use serde_json::{Value, json};
use stoa_api::{
    app::App,
    http::Listener,
    ids::CourseId,
    recommendations::{
        experiments::{ArmSettings, ExperimentSettings},
        external::{EngineKind, EngineSettings, EnginesSettings, Happened, Told},
        model::{FeedbackKind, Purpose},
    },
};
use stoa_recommender::{EngineSettings as InProcess, Registry, Settings};
use stoa_testkit::{Client, SCHOOL, School, story};

use super::recommendations::busy;

#[path = "../../api/examples/engine_service.rs"]
#[expect(dead_code, reason = "it has a main of its own")]
mod engine_service;
#[path = "../../api/examples/own_engine.rs"]
#[expect(dead_code, reason = "it has a main of its own")]
pub(crate) mod own_engine;

const NEXT: &str = "{ me { recommendations(first: 5) { score course { slug } reasons { kind sentence } } } }";

/// A request as the stub saw it: method and path, the two headers that may hold a token, and the body.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    authorization: Option<String>,
    key: Option<String>,
    body: String,
}

/// What answers in place of an engine.
#[derive(Clone)]
struct Stub {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Mutex<Answer>>,
}

#[derive(Clone)]
enum Answer {
    /// To everything.
    All(u16, String),
    /// To whatever begins so.
    Paths(Vec<(&'static str, u16, String)>),
    /// Too late.
    Late,
}

impl Stub {
    async fn open() -> Self {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.address);
        let stub = Self { url, seen: Arc::default(), answer: Arc::new(Mutex::new(Answer::Late)) };
        tokio::spawn(listener.serve(stub.clone().routes(), std::future::pending()));
        stub
    }

    fn routes(self) -> impl Endpoint<Output = Response> {
        make(move |mut request: Request| {
            let stub = self.clone();
            async move {
                let header = |name: &str| request.header(name).map(ToOwned::to_owned);
                let (authorization, key) = (header("authorization"), header("x-api-key"));
                let line = format!("{} {}", request.method(), request.original_uri());
                let body = request.take_body().into_string().await.unwrap_or_default();
                let answer = stub.answer.lock().unwrap().clone();
                stub.seen.lock().unwrap().push(Seen { line: line.clone(), authorization, key, body });
                let (status, text) = match answer {
                    Answer::All(status, text) => (status, text),
                    Answer::Paths(paths) => {
                        let found = paths.into_iter().find(|(path, ..)| line.starts_with(path));
                        found.map_or((404, String::new()), |(_, status, text)| (status, text))
                    }
                    Answer::Late => {
                        tokio::time::sleep(Duration::from_secs(5)).await;
                        (200, json!({ "items": [] }).to_string())
                    }
                };
                (StatusCode::from_u16(status).unwrap(), text.with_content_type("application/json")).into_response()
            }
        })
        .map_to_response()
    }

    fn answers(&self, status: u16, text: impl Into<String>) {
        *self.answer.lock().unwrap() = Answer::All(status, text.into());
    }

    fn answers_items(&self, items: &[(&str, f64)]) {
        let items: Vec<_> = items.iter().map(|(course, score)| json!({ "course": course, "score": score })).collect();
        self.answers(200, json!({ "items": items, "model": "stub-1" }).to_string());
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An engine whose story does not depend on how quick this machine is today.
fn patient(kind: EngineKind, url: &str) -> EngineSettings {
    EngineSettings { timeout_ms: 5_000, ..EngineSettings::new(kind, url) }
}

/// The school with a model, and lists made by this engine.
async fn served_by(school: &School, name: &str, engine: EngineSettings) -> App {
    busy(school).await;
    school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
    school.app.feed.refresh().await.unwrap();
    with_engine(school, name, engine)
}

fn with_engine(school: &School, name: &str, engine: EngineSettings) -> App {
    let settings = EnginesSettings { engines: [(name.to_owned(), engine)].into(), serve_by: Some(name.to_owned()) };
    school.app.clone().with_engines(Registry::standard(), &settings).unwrap()
}

async fn at(school: &School, app: &App, key: &str) -> Client {
    let token = app.accounts.issue_token(school.id_of(key), "test", None).await.unwrap();
    school.anybody_at(app).with_token(token.secret_text())
}

async fn slugs(client: &Client) -> Vec<String> {
    let data = client.data(NEXT).await;
    let items = data["me"]["recommendations"].as_array().unwrap();
    items.iter().map(|item| item["course"]["slug"].as_str().unwrap().to_owned()).collect()
}

/// Who made her list, and why it was not who should have.
async fn whence(school: &School, app: &App, key: &str) -> Value {
    let data = at(school, app, key).await.data("{ me { nextCourses { engine insteadOf fallbackReason } } }").await;
    data["me"]["nextCourses"].clone()
}

fn made_by(name: &str) -> Value {
    json!({ "engine": name, "insteadOf": null, "fallbackReason": null })
}

fn stood_in(reason: &str) -> Value {
    json!({ "engine": "hybrid", "insteadOf": "shadowfax", "fallbackReason": reason })
}

async fn ready(school: &School, app: &App) -> Value {
    school.anybody_at(app).send(Request::builder().uri_str("/readyz").finish()).await.json()
}

story! {
    async fn the_reference_service_makes_a_list_through_stoa(school) {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/recommend", listener.address);
        tokio::spawn(listener.serve(engine_service::routes(Some("s3cret".to_owned())), std::future::pending()));
        let engine = EngineSettings { token: Some("s3cret".to_owned()), ..patient(EngineKind::Http, &url) };
        let app = served_by(&school, "shadowfax", engine).await;
        // It learns from what it is asked: first come those who took both courses.
        for n in 0..12 {
            whence(&school, &app, &format!("l{n}")).await;
        }
        assert_eq!(whence(&school, &app, "omar").await, stood_in("NOTHING"), "he has all that it knows of");
        assert_eq!(whence(&school, &app, "zoe").await, made_by("shadowfax"));
        let zoe = at(&school, &app, "zoe").await;
        assert_eq!(slugs(&zoe).await, ["compost-step-by-step", "living-soil"], "as popular as each other, so by name");
        school.app.enrolling.enroll(school.id_of("zoe"), CourseId::imported(SCHOOL, "soil")).await.unwrap().unwrap();
        let list = zoe.data(NEXT).await["me"]["recommendations"].clone();
        assert_eq!(list[0]["course"]["slug"], "compost-step-by-step");
        assert_eq!(list[0]["reasons"][0], json!({ "kind": "ENGINE", "sentence": "13 learners took it with a course of yours." }));
    }

    async fn when_the_engine_is_slow_wrong_or_down_there_is_the_default_list_and_it_says_so(school) {
        let stub = Stub::open().await;
        let engine = EngineSettings { failures: 100, ..patient(EngineKind::Http, &stub.url) };
        let app = served_by(&school, "shadowfax", engine.clone()).await;
        let usual = slugs(&school.person("zoe").await).await;
        assert!(!usual.is_empty());
        let zoe = at(&school, &app, "zoe").await;
        for (answer, reason) in [
            ((500, "{\"items\":[]}".to_owned()), "BAD_STATUS"),
            ((302, String::new()), "BAD_STATUS"),
            ((200, "certainly".to_owned()), "BAD_ANSWER"),
            ((200, "{\"items\":[{\"course\":\"living-soil\",\"score\":1e300}]}".to_owned()), "BAD_ANSWER"),
            ((200, "{\"items\":[{\"course\":\"living-soil\",\"score\":NaN}]}".to_owned()), "BAD_ANSWER"),
            ((200, format!("{{\"items\":[],\"model\":\"{}\"}}", "x".repeat(300_000))), "BAD_ANSWER"),
            ((200, "{\"items\":[]}".to_owned()), "NOTHING"),
            ((200, "{\"items\":[{\"course\":\"le-sol-vivant\",\"score\":1},{\"course\":\"gone\",\"score\":2}]}".to_owned()), "NOTHING"),
        ] {
            stub.answers(answer.0, answer.1);
            assert_eq!(whence(&school, &app, "zoe").await, stood_in(reason));
            assert_eq!(slugs(&zoe).await, usual, "{reason}");
        }
        *stub.answer.lock().unwrap() = Answer::Late;
        let hasty = with_engine(&school, "shadowfax", EngineSettings { timeout_ms: 50, ..engine });
        assert_eq!(whence(&school, &hasty, "zoe").await, stood_in("TIMED_OUT"));
        // A port on which nobody listens any more.
        let port = Listener::bind("127.0.0.1:0").await.unwrap().address;
        let gone = with_engine(&school, "shadowfax", patient(EngineKind::Http, &format!("http://{port}/")));
        assert_eq!(whence(&school, &gone, "zoe").await, stood_in("UNREACHABLE"));
        assert_eq!(slugs(&at(&school, &gone, "zoe").await).await, usual);
    }

    async fn nothing_comes_out_that_she_has_or_that_is_closed_whatever_the_engine_says(school) {
        let stub = Stub::open().await;
        let app = served_by(&school, "shadowfax", patient(EngineKind::Http, &stub.url)).await;
        school.execute("UPDATE courses SET status = 'ARCHIVED', updated_at = updated_at + 1 WHERE slug = 'living-soil'").await;
        app.feed.refresh().await.unwrap();
        stub.answers_items(&[
            ("le-sol-vivant", 9.0), ("living-soil", 8.0), ("no-such-course", 7.0),
            ("compost-step-by-step", 1.0), ("compost-step-by-step", 6.0),
        ]);
        assert_eq!(slugs(&at(&school, &app, "zoe").await).await, ["compost-step-by-step"]);
        assert_eq!(whence(&school, &app, "zoe").await, made_by("shadowfax"));
    }

    async fn an_engine_is_told_what_it_needs_and_not_who_she_is(school) {
        let stub = Stub::open().await;
        stub.answers_items(&[("living-soil", 1.0)]);
        let engine = EngineSettings { token: Some("s3cret".to_owned()), ..patient(EngineKind::Http, &stub.url) };
        let app = served_by(&school, "shadowfax", engine.clone()).await;
        whence(&school, &app, "mei").await;
        let asked = stub.seen().pop().unwrap();
        assert_eq!((asked.line.as_str(), asked.authorization.as_deref()), ("POST /", Some("Bearer s3cret")));
        let sent: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!((&sent["version"], &sent["now"], &sent["limit"]), (&json!(1), &json!(1_772_442_000), &json!(50)));
        assert_eq!(sent["goals"].as_array().unwrap().len(), 2);
        let soil = json!({ "course": "living-soil", "at": 1_768_240_800, "completion": 1.0, "seconds": 3480.0, "rating": 1.0 });
        assert_eq!(sent["history"][0], soil, "{sent:#}");
        let learner = sent["learner"].as_str().unwrap().to_owned();
        let names: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["exclude", "goals", "history", "learner", "limit", "now", "version"]);
        let id = school.id_of("mei").0;
        for private in [id.to_string(), id.simple().to_string(), "Mei".to_owned(), "school.example".to_owned()] {
            assert!(!asked.body.contains(&private), "{private}");
        }
        whence(&school, &with_engine(&school, "asfaloth", engine), "mei").await;
        let sent: Value = serde_json::from_str(&stub.seen().pop().unwrap().body).unwrap();
        assert_ne!(sent["learner"], json!(learner), "two engines can't put together what they know of her");
    }

    async fn of_somebody_who_does_not_consent_no_engine_hears(school) {
        let stub = Stub::open().await;
        stub.answers_items(&[("living-soil", 1.0)]);
        let app = served_by(&school, "shadowfax", patient(EngineKind::Http, &stub.url)).await;
        app.feed.set_consent(school.id_of("zoe"), Purpose::PersonalRecommendations, false).await.unwrap();
        assert_eq!(whence(&school, &app, "zoe").await, made_by("hybrid"));
        assert_eq!(stub.seen().len(), 0);
        let gorse = with_engine(&school, "gorse", patient(EngineKind::Gorse, &stub.url));
        gorse.enrolling.enroll(school.id_of("zoe"), CourseId::imported(SCHOOL, "soil")).await.unwrap().unwrap();
        gorse.feed.engines().tell_queued().await;
        assert_eq!(stub.seen().len(), 0, "nor of what she takes");
    }

    async fn what_she_dismissed_does_not_come_back_from_an_engine(school) {
        let stub = Stub::open().await;
        stub.answers_items(&[("living-soil", 2.0), ("compost-step-by-step", 1.0)]);
        let app = served_by(&school, "shadowfax", patient(EngineKind::Http, &stub.url)).await;
        let word = (CourseId::imported(SCHOOL, "soil"), FeedbackKind::Dismiss);
        app.feed.give_feedback(school.id_of("zoe"), word, None).await.unwrap().unwrap();
        assert_eq!(slugs(&at(&school, &app, "zoe").await).await, ["compost-step-by-step"]);
        let sent: Value = serde_json::from_str(&stub.seen().pop().unwrap().body).unwrap();
        assert_eq!(sent["exclude"], json!(["living-soil"]));
    }

    async fn an_experiment_has_an_engine_outside_as_one_of_its_arms(school) {
        let stub = Stub::open().await;
        stub.answers_items(&[("living-soil", 1.0)]);
        let arms = vec![ArmSettings { name: "outside".to_owned(), weight: 1.0, engine: Some("shadowfax".to_owned()) }];
        let experiment = ExperimentSettings { name: "a test".to_owned(), arms, ..ExperimentSettings::default() };
        let school = school.under(stoa_api::app::Settings { experiment, ..stoa_api::app::Settings::default() }).await;
        let app = served_by(&school, "shadowfax", patient(EngineKind::Http, &stub.url)).await;
        let engines = [("shadowfax".to_owned(), patient(EngineKind::Http, &stub.url))].into();
        let app = app.with_engines(Registry::standard(), &EnginesSettings { engines, serve_by: None }).unwrap();
        assert_eq!(whence(&school, &app, "zoe").await, made_by("shadowfax"));
        // A server that does not have the engine says so.
        assert_eq!(whence(&school, &school.app, "mei").await, stood_in("UNKNOWN_ENGINE"));
    }

    async fn an_engine_that_fails_again_and_again_is_left_alone_until_it_is_well(school) {
        let stub = Stub::open().await;
        let engine = EngineSettings { failures: 3, pause_seconds: 30, ..patient(EngineKind::Http, &stub.url) };
        let app = served_by(&school, "shadowfax", engine).await;
        stub.answers(500, "");
        for _ in 0..3 {
            assert_eq!(whence(&school, &app, "zoe").await, stood_in("BAD_STATUS"));
        }
        assert_eq!(ready(&school, &app).await["engines"], json!({ "shadowfax": "open" }));
        assert_eq!(ready(&school, &app).await["ready"], true, "the hybrid stands in");
        stub.answers_items(&[("living-soil", 1.0)]);
        let before = stub.seen().len();
        assert_eq!(whence(&school, &app, "mei").await, stood_in("PAUSED"));
        assert_eq!(stub.seen().len(), before, "it is not asked");
        school.clock.advance(30);
        assert_eq!(ready(&school, &app).await["engines"], json!({ "shadowfax": "half-open" }));
        assert_eq!(whence(&school, &app, "zoe").await, made_by("shadowfax"));
        assert_eq!(ready(&school, &app).await["engines"], json!({ "shadowfax": "closed" }));
    }

    async fn gorse_recommends_by_its_published_api(school) {
        let stub = Stub::open().await;
        let engine = EngineSettings { token: Some("gorse-key".to_owned()), ..patient(EngineKind::Gorse, &stub.url) };
        let app = served_by(&school, "gorse", engine.clone()).await;
        *stub.answer.lock().unwrap() = Answer::Paths(vec![
            ("GET /api/recommend/", 200, json!(["living-soil", "le-sol-vivant", "compost-step-by-step"]).to_string()),
        ]);
        assert_eq!(whence(&school, &app, "zoe").await, made_by("gorse"));
        assert_eq!(slugs(&at(&school, &app, "zoe").await).await, ["living-soil", "compost-step-by-step"]);
        let asked = stub.seen().pop().unwrap();
        assert_eq!(asked.key.as_deref(), Some("gorse-key"));
        assert!(asked.line.ends_with("?n=100"), "{}", asked.line);
        // One whom Gorse does not know: what is like what she took.
        school.clock.advance(1_000);
        let scored = json!([{ "Id": "living-soil", "Score": 0.4 }, { "Id": "compost-step-by-step", "Score": 0.9 }]).to_string();
        *stub.answer.lock().unwrap() = Answer::Paths(vec![
            ("GET /api/recommend/", 200, "[]".to_owned()),
            ("GET /api/item/le-sol-vivant/neighbors?n=100", 200, scored.clone()),
        ]);
        assert_eq!(slugs(&at(&school, &app, "zoe").await).await, ["compost-step-by-step", "living-soil"]);
        // The newer version names its item-to-item recommenders.
        let newer = EngineSettings { item_to_item: Some("similar".to_owned()), ..engine.clone() };
        *stub.answer.lock().unwrap() = Answer::Paths(vec![
            ("GET /api/recommend/", 200, "[]".to_owned()),
            ("GET /api/item-to-item/similar/le-sol-vivant?n=100", 200, scored),
        ]);
        school.clock.advance(1_000);
        assert_eq!(whence(&school, &with_engine(&school, "gorse", newer), "zoe").await, made_by("gorse"));
        // A wrong key.
        stub.answers(401, "unauthorized");
        school.clock.advance(1_000);
        let stood_in = json!({ "engine": "hybrid", "insteadOf": "gorse", "fallbackReason": "BAD_STATUS" });
        assert_eq!(whence(&school, &app, "zoe").await, stood_in);
    }

    async fn gorse_is_told_of_an_enrolment_once(school) {
        let stub = Stub::open().await;
        stub.answers(200, json!({ "RowAffected": 1 }).to_string());
        let engine = EngineSettings { token: Some("gorse-key".to_owned()), ..patient(EngineKind::Gorse, &stub.url) };
        let app = with_engine(&school, "gorse", engine);
        let (zoe, soil) = (school.id_of("zoe"), CourseId::imported(SCHOOL, "soil"));
        for _ in 0..2 {
            app.enrolling.enroll(zoe, soil).await.unwrap().unwrap();
        }
        assert_eq!(stub.seen().len(), 0, "nobody waited for it");
        app.feed.engines().happened(Happened::Liked, zoe, soil, school.clock.now());
        app.feed.engines().tell_queued().await;
        app.feed.engines().tell_queued().await;
        let seen = stub.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].line.as_str(), seen[0].key.as_deref()), ("POST /api/feedback", Some("gorse-key")));
        let mut told: Value = serde_json::from_str(&seen[0].body).unwrap();
        let user = told[0]["UserId"].take();
        assert_eq!(user.as_str().map(str::len), Some(32), "a hash");
        assert_eq!(told[1]["UserId"].take(), user);
        assert_eq!(told, json!([
            { "FeedbackType": "enrol", "UserId": null, "ItemId": "living-soil", "Timestamp": "2026-03-02T09:00:00Z" },
            { "FeedbackType": "like", "UserId": null, "ItemId": "living-soil", "Timestamp": "2026-03-02T09:00:00Z" },
        ]));
        assert_eq!(app.feed.engines().told("gorse"), Told { taken: 2, lost: 0 });
    }

    async fn what_gorse_does_not_take_is_counted_and_holds_nobody_up(school) {
        let stub = Stub::open().await;
        stub.answers(400, "");
        let app = with_engine(&school, "gorse", patient(EngineKind::Gorse, &stub.url));
        let (zoe, soil) = (school.id_of("zoe"), CourseId::imported(SCHOOL, "soil"));
        app.enrolling.enroll(zoe, soil).await.unwrap().unwrap();
        app.feed.engines().tell_queued().await;
        assert_eq!(app.feed.engines().told("gorse"), Told { taken: 0, lost: 1 });
        for _ in 0..1_100 {
            app.feed.engines().happened(Happened::Liked, zoe, soil, school.clock.now());
        }
        assert_eq!(app.feed.engines().told("gorse").lost, 1 + 1_100 - 1_024, "the queue has an end");
    }

    async fn a_program_of_ones_own_brings_an_engine_that_stoa_does_not_have(school) {
        busy(&school).await;
        let mut registry = Registry::standard();
        registry.register(own_engine::NEWEST);
        let app = school.app.clone().with_engines(registry, &EnginesSettings::default()).unwrap();
        let settings = Settings { engines: vec![InProcess::new("newest"), InProcess::new("popularity")], ..Settings::default() };
        let error = school.app.feed.train(settings.clone(), |_| {}).await.unwrap_err().to_string();
        assert!(error.contains("newest"), "{error}");
        app.feed.train(settings, |_| {}).await.unwrap();
        assert!(app.feed.refresh().await.unwrap());
        assert_eq!(slugs(&at(&school, &app, "zoe").await).await.len(), 2);
        // A server without the engine says which it lacks.
        let stranger = school.under(stoa_api::app::Settings::default()).await;
        let error = stranger.app.feed.refresh().await.unwrap_err().to_string();
        assert!(error.contains("newest"), "{error}");
    }
}
