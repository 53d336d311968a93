//! A candidate is judged beside the model in use before it takes over.

use stoa_recommender::engine::Registry;
use stoa_recommender::evaluate::{Shadow, shadow};
use stoa_recommender::{
    Catalogue, Course, EngineSettings, Interaction, Interactions, InteractionsBuilder, Model, Settings,
};

const HOUR: i64 = 3600;

fn catalogue() -> Catalogue {
    let courses = (0..24).map(|at| Course { key: format!("{at:02}"), ..Course::default() });
    Catalogue::new(vec![], courses.collect()).expect("a good catalogue")
}

/// Learners who come one an hour until `to`; each takes four courses, every eleventh on the shelf.
fn walks(to: i64) -> Interactions {
    let catalogue = catalogue();
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0..to {
        for step in 0..4 {
            let course = u32::try_from((learner * 7 + step * 11) % 24).expect("small");
            let row = Interaction::new(course, learner * HOUR + step * 600);
            rows.push(u64::try_from(learner).expect("positive"), row).expect("a good row");
        }
    }
    rows.build()
}

fn settings(engines: &[&str]) -> Settings {
    let engines = engines.iter().map(|name| EngineSettings::new(name)).collect();
    Settings { engines, tune: false, ..Settings::default() }
}

fn judged(candidate: &[&str], in_use: &[&str], trained_until: i64, now: i64) -> Shadow {
    let fit = |rows: &Interactions| Model::fit(&catalogue(), rows, &settings(in_use), &mut |_| ()).expect("fits");
    let current = fit(&walks(trained_until));
    let rows = walks(now);
    shadow(&Registry::standard(), &catalogue(), &rows, &settings(candidate), &current, &mut |_| ()).expect("judged")
}

#[test]
fn what_only_knows_popularity_does_not_replace_what_knows_the_order_and_the_figures_say_why() {
    let found = judged(&["popularity"], &["rules", "popularity"], 100, 140);
    assert!(!found.promote, "{found:?}");
    // Forty learners came since, each with three choices after her first.
    assert_eq!((found.questions, &*found.against), (120, "model in use"));
    assert!(found.difference.1 < 0.0 && found.candidate < found.current);
    let figures = format!("NDCG@10 {:.4}, against {:.4} of the model in use", found.candidate, found.current);
    assert!(found.why.starts_with(&figures) && found.why.ends_with("That is worse."), "{}", found.why);
}

#[test]
fn what_knows_the_order_replaces_what_only_knows_popularity() {
    let found = judged(&["rules", "popularity"], &["popularity"], 100, 140);
    assert!(found.promote && found.difference.0 > 0.0, "{found:?}");
    assert!(found.why.ends_with("That is better."), "{}", found.why);
}

#[test]
fn the_same_settings_take_over_since_they_are_no_worse() {
    let found = judged(&["rules", "popularity"], &["rules", "popularity"], 100, 140);
    assert!(found.promote, "{found:?}");
    assert!((found.candidate - found.current).abs() < 1e-9, "{found:?}");
}

#[test]
fn with_nothing_new_since_the_last_training_a_candidate_must_at_least_beat_popularity() {
    let good = judged(&["rules", "popularity"], &["rules"], 140, 140);
    assert!(good.promote, "{good:?}");
    assert!(["popularity", "recent"].contains(&&*good.against), "{good:?}");
    assert!(good.why.contains("too few that the model in use has not seen"), "{}", good.why);
}

#[test]
fn with_nothing_new_since_settings_that_lose_to_what_is_popular_now_are_not_promoted() {
    // One learner a day; every four and twenty of them take the same four courses, as a class does. What
    // was popular over all the time is wrong by then.
    let catalogue = catalogue();
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0..140_u32 {
        for step in 0..4 {
            let at = i64::from(learner) * 24 * HOUR + i64::from(step) * 600;
            rows.push(learner.into(), Interaction::new(learner / 24 * 4 + step, at)).expect("a good row");
        }
    }
    let rows = rows.build();
    let current = Model::fit(&catalogue, &rows, &settings(&["rules"]), &mut |_| ()).expect("fits");
    // Without choices to learn from, the ranker has nothing but the engine.
    let candidate = Settings { choices: 0, ..settings(&["popularity"]) };
    let found = shadow(&Registry::standard(), &catalogue, &rows, &candidate, &current, &mut |_| ()).expect("judged");
    assert!(!found.promote, "{found:?}");
    assert!(found.why.contains("of the engine recent") && found.why.ends_with("That is worse."), "{}", found.why);
}

#[test]
fn a_school_of_three_learners_gets_its_model() {
    let found = judged(&["rules"], &["rules"], 3, 3);
    assert!(found.promote && found.questions == 0, "{found:?}");
    assert!(found.why.starts_with("There is too little to compare on"), "{}", found.why);
}

#[test]
fn settings_that_cannot_be_used_are_refused_and_not_judged() {
    let current = Model::fit(&catalogue(), &walks(3), &settings(&["rules"]), &mut |_| ()).expect("fits");
    let rows = walks(3);
    let error = shadow(&Registry::standard(), &catalogue(), &rows, &settings(&["gorse"]), &current, &mut |_| ());
    assert!(error.expect_err("refused").to_string().contains("gorse"));
}
