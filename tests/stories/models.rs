//! The life of models: trained, named, gone back to, forgotten.

use std::{sync::mpsc, time::Duration};

use stoa_api::{
    ids::CourseId,
    recommendations::{
        FeedError,
        external::EnginesSettings,
        lifecycle::{Due, Promotion, Schedule},
        model::Purpose,
    },
};
use stoa_recommender::{EngineSettings, Registry, Settings};
use stoa_testkit::{SCHOOL, School, story};

use super::{
    engines::own_engine::NEWEST,
    process::{imported, stoa_does, text},
    recommendations::busy,
};

/// Quick to train.
fn quick() -> Settings {
    Settings { engines: vec![EngineSettings::new("popularity")], choices: 0, tune: false, ..Settings::default() }
}

async fn trained(school: &School) -> String {
    school.app.feed.train_with(quick(), Promotion::Unmeasured, |_| {}).await.unwrap().name
}

async fn current(school: &School) -> String {
    let id = school.app.feed.current().await.unwrap();
    let models = school.app.feed.models().await.unwrap();
    models.into_iter().find(|model| Some(model.id) == id).unwrap().name
}

async fn enroll(school: &School, learner: &str, course: &str) {
    let course = CourseId::imported(SCHOOL, course);
    school.app.enrolling.enroll(school.id_of(learner), course).await.unwrap().unwrap();
}

story! {
    async fn models_have_names_and_are_gone_back_to_by_name(school) {
        busy(&school).await;
        assert!(matches!(school.app.feed.roll_back().await, Err(FeedError::NoModel)));
        let first = trained(&school).await;
        let info = school.app.feed.models().await.unwrap().remove(0);
        assert_eq!((first.as_str(), info.learners), ("2026-03-02-1", 15));
        assert_eq!(info.judgement.unwrap().why, "there was no other model");
        assert!(matches!(school.app.feed.roll_back().await, Err(FeedError::NothingBefore)));
        school.clock.advance(60);
        let second = trained(&school).await;
        school.clock.advance(86_400);
        let third = trained(&school).await;
        assert_eq!((second.as_str(), third.as_str()), ("2026-03-02-2", "2026-03-03-1"));
        assert_eq!(current(&school).await, third);
        school.clock.advance(60);
        assert_eq!(school.app.feed.use_model(&first).await.unwrap().name, first);
        assert_eq!(current(&school).await, first);
        assert!(school.app.feed.refresh().await.unwrap());
        assert_eq!(school.app.feed.roll_back().await.unwrap().name, third, "the one in use before");
        assert_eq!(school.app.feed.roll_back().await.unwrap().name, second, "and the one before that");
        assert!(matches!(school.app.feed.roll_back().await, Err(FeedError::NothingBefore)));
        let error = school.app.feed.use_model("2020-01-01-1").await.unwrap_err().to_string();
        assert!(error.contains(&third) && error.contains("2020-01-01-1"), "{error}");
        assert_eq!(current(&school).await, second, "what was refused changed nothing");
    }

    async fn a_model_that_foretells_worse_does_not_take_over_and_says_why(school) {
        let folder = tempfile::tempdir().unwrap();
        let mut learners = String::from("key,name\n");
        let mut activity = String::from("learner,lesson,started_at,seconds,progress\n");
        for n in 0..80 {
            learners += &format!("w{n},Learner {n}\n");
            activity += &format!("w{n},soil-1,2026-01-{:02}T10:00:00Z,400,1\n", n % 28 + 1);
            if n < 20 {
                activity += &format!("w{n},compost-1,2026-02-01T12:00:00Z,300,0.9\n");
            }
        }
        std::fs::write(folder.path().join("learners.csv"), learners).unwrap();
        std::fs::write(folder.path().join("activity.csv"), activity).unwrap();
        assert!(school.import(folder.path()).await.complete());
        let mut registry = Registry::standard();
        registry.register(NEWEST);
        let feed = school.app.clone().with_engines(registry, &EnginesSettings::default()).unwrap().feed.clone();
        let good = feed.train_with(quick(), Promotion::Unmeasured, |_| {}).await.unwrap().name;
        for n in 20..80 {
            school.clock.advance(60);
            enroll(&school, &format!("w{n}"), "compost").await;
        }
        // The newest course is the one that nobody takes.
        let bad = Settings { engines: vec![EngineSettings::new("newest")], ..quick() };
        let refused = feed.train(bad.clone(), |_| {}).await.unwrap();
        let judgement = refused.judgement.unwrap();
        assert!(!judgement.promoted && refused.promoted_at.is_none(), "{judgement:?}");
        assert_eq!(judgement.against.as_deref(), Some(good.as_str()));
        assert!(judgement.shadow.unwrap().questions >= 60 && judgement.why.len() > 20);
        assert_eq!(current(&school).await, good);
        let forced = feed.train_with(bad, Promotion::Always, |_| {}).await.unwrap();
        assert!(forced.judgement.unwrap().why.contains("although"));
        assert_eq!(current(&school).await, forced.name);
    }

    async fn a_model_that_cant_be_used_is_not_chosen(school) {
        busy(&school).await;
        let (first, second) = (trained(&school).await, trained(&school).await);
        school.execute(&format!("UPDATE models SET payload = substr(payload, 1, 100) WHERE name = '{first}'")).await;
        assert!(matches!(school.app.feed.use_model(&first).await, Err(FeedError::Model { .. })));
        assert_eq!(current(&school).await, second);
        // One that broke while it was in use does not keep the next from taking over.
        school.execute(&format!("UPDATE models SET payload = substr(payload, 1, 100) WHERE name = '{second}'")).await;
        let third = school.app.feed.train(quick(), |_| {}).await.unwrap();
        assert!(third.judgement.unwrap().why.contains("could not be read"));
        assert_eq!(current(&school).await, third.name);
    }

    async fn old_models_are_forgotten_but_never_the_one_in_use(school) {
        busy(&school).await;
        let first = trained(&school).await;
        for _ in 0..3 {
            school.clock.advance(60);
            trained(&school).await;
        }
        school.app.feed.use_model(&first).await.unwrap();
        assert_eq!(school.app.feed.forget_models(1).await.unwrap(), 2);
        let left: Vec<_> = school.app.feed.models().await.unwrap().into_iter().map(|model| model.name).collect();
        assert_eq!(left, ["2026-03-02-4", "2026-03-02-1"]);
        assert!(school.app.feed.refresh().await.unwrap());
    }

    async fn two_servers_train_at_once_and_one_of_them_trains(school) {
        busy(&school).await;
        let (began, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let feed = school.app.feed.clone();
        let first = tokio::spawn(async move {
            let mut waited = false;
            feed.train_with(Settings::default(), Promotion::Unmeasured, move |_| {
                if !std::mem::replace(&mut waited, true) {
                    began.send(()).unwrap();
                    may_go_on.recv_timeout(Duration::from_secs(30)).unwrap();
                }
            })
            .await
        });
        tokio::task::spawn_blocking(move || has_begun.recv_timeout(Duration::from_secs(30)).unwrap()).await.unwrap();
        let other = school.app.feed.train(quick(), |_| {}).await;
        assert!(matches!(other, Err(FeedError::Training)), "{other:?}");
        go_on.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap().name, "2026-03-02-1");
        assert_eq!(school.app.feed.models().await.unwrap().len(), 1);
        assert_eq!(trained(&school).await, "2026-03-02-2", "the lease was given back");
    }

    async fn a_server_that_died_while_it_trained_holds_nobody_up_for_long(school) {
        let until = school.clock.now().0 + 120 * 1_000_000;
        school.execute(&format!("INSERT INTO settings (name, value) VALUES ('training', '{until:020} 00ff')")).await;
        assert!(matches!(school.app.feed.train(quick(), |_| {}).await, Err(FeedError::Training)));
        school.clock.advance(121);
        trained(&school).await;
    }

    async fn a_server_trains_by_itself_when_it_is_time_and_something_is_new(school) {
        let schedule = Schedule { every_hours: 24, keep: 2, settings: quick() };
        let due = async || school.app.feed.train_if_due(&schedule).await.unwrap();
        assert!(matches!(due().await, Due::Trained(_)), "there are enrolments and no model");
        enroll(&school, "zoe", "soil").await;
        assert!(matches!(due().await, Due::NotYet));
        school.clock.advance(24 * 3_600);
        assert!(matches!(due().await, Due::Trained(_)), "zoe has enrolled since");
        school.clock.advance(24 * 3_600);
        assert!(matches!(due().await, Due::NothingNew));
        let other = Schedule { settings: Settings { seed: 7, ..quick() }, ..schedule.clone() };
        assert!(matches!(school.app.feed.train_if_due(&other).await.unwrap(), Due::Trained(_)), "other settings");
        assert_eq!(school.app.feed.models().await.unwrap().len(), 2, "the oldest of three is forgotten");
        school.app.feed.set_consent(school.id_of("mei"), Purpose::PersonalRecommendations, false).await.unwrap();
        school.clock.advance(24 * 3_600);
        let Due::Trained(model) = school.app.feed.train_if_due(&other).await.unwrap() else { panic!("mei is in it still") };
        assert_eq!(model.learners, 2, "omar and zoe");
    }

    async fn an_enrolment_counts_without_a_training(school) {
        busy(&school).await;
        school.clock.advance(1);
        trained(&school).await;
        school.app.feed.refresh().await.unwrap();
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 0, "the training has seen all there is");
        school.clock.advance(1);
        enroll(&school, "zoe", "soil").await;
        enroll(&school, "l1", "sol").await;
        school.app.feed.set_consent(school.id_of("l3"), Purpose::PersonalRecommendations, false).await.unwrap();
        enroll(&school, "l3", "sol").await;
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 2, "of three, since one does not consent");
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 0, "each counts once");
        // One that took its time to be committed.
        school.clock.advance(5);
        enroll(&school, "l2", "sol").await;
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 1);
        let late = school.clock.now().0 - 3 * 1_000_000;
        school.execute(&format!("UPDATE enrolments SET enrolled_at = {late} WHERE learner_id = {{person:mei}} AND course_id = {{course:soil}}")).await;
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 1);
        trained(&school).await;
        school.app.feed.refresh().await.unwrap();
        assert_eq!(school.app.feed.absorb_new().await.unwrap(), 0, "the next model has seen them");
    }
}

#[test]
fn an_operator_lists_chooses_and_forgets_models() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(stoa_does(folder, &["migrate"]).status.success());
    imported(folder);
    let said = text(&stoa_does(folder, &["train"]));
    assert!(said.contains("-1 (hybrid) on ") && said.contains("it serves now: there was no other model"), "{said}");
    let said = text(&stoa_does(folder, &["train", "--no-shadow"]));
    assert!(said.contains("-2 (hybrid) on ") && said.contains("not held against"), "{said}");
    let output = stoa_does(folder, &["models", "--json"]);
    let listed = String::from_utf8(output.stdout).unwrap();
    let json = &listed[listed.find('[').unwrap()..=listed.rfind(']').unwrap()];
    let models: serde_json::Value = serde_json::from_str(json).unwrap();
    let name = |at: usize| models[at]["name"].as_str().unwrap().to_owned();
    assert_eq!((&models[0]["current"], &models[1]["current"]), (&true.into(), &false.into()), "{models:#}");
    let (first, second) = (name(1), name(0));
    assert!(text(&stoa_does(folder, &["models", "rollback"])).contains(&format!("{first} serves again")));
    let listed = text(&stoa_does(folder, &["models"]));
    assert!(listed.contains(&format!("* {first}")) && listed.contains(&format!("  {second}")), "{listed}");
    assert!(text(&stoa_does(folder, &["models", "use", &second])).contains("serves now"));
    let output = stoa_does(folder, &["models", "use", "yesterday"]);
    assert!(output.status.code() == Some(1) && text(&output).contains(&first), "{}", text(&output));
    assert!(text(&stoa_does(folder, &["models", "prune", "--keep", "1"])).contains("1 models were forgotten"));
    assert_eq!(stoa_does(folder, &["train", "--promote", "--no-shadow"]).status.code(), Some(2));
}
