//! Each engine on its own: what it makes of a small school.

use std::collections::BTreeMap;

use stoa_recommender::engine::{Ask, Evidence, Scores, TrainingData, Values};
use stoa_recommender::{Catalogue, Content, Course, Interaction, ReasonKind, Registry, Scorer};

const DAY: i64 = 86_400;

/// Six courses, 0..3 on baking and 3..6 on gardening; 5 is new.
fn school() -> Content {
    let course =
        |at: u32| Course { key: format!("{at}"), topics: vec![at / 3], seconds: Some(600), ..Course::default() };
    let topics = vec!["Baking".into(), "Gardening".into()];
    Content::new(&Catalogue::new(topics, (0..6).map(course).collect()).expect("a good catalogue"))
}

fn visits(courses: &[(u32, i64)]) -> Vec<Interaction> {
    courses.iter().map(|&(course, at)| Interaction::new(course, at)).collect()
}

/// Thirty learners bake 0, 1, 2 in order, the last of them lately; ten garden 3 then 4, long ago.
fn class() -> Vec<Vec<Interaction>> {
    let bake = |n: i64| visits(&[(0, n * DAY), (1, n * DAY + 600), (2, n * DAY + 1200)]);
    let garden = |n: i64| visits(&[(3, n * DAY), (4, (n + 2) * DAY)]);
    (0..10).map(garden).chain((60..90).map(bake)).collect()
}

fn fitted(engine: &str, parameters: &[(&str, f64)], content: &Content) -> Box<dyn Scorer> {
    let registry = Registry::standard();
    let found = registry.find(engine).expect("registered");
    let given: BTreeMap<String, f64> = parameters.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let values = Values::check(engine, found.parameters, &given).expect("in range");
    let class = class();
    let data =
        TrainingData { content, histories: class.iter().map(Vec::as_slice).collect(), now: 90 * DAY, clock: true };
    let scorer = (found.build)(&values).fit(&data).expect("fits");
    // Whatever follows must hold for a scorer that was saved and read back.
    (found.load)(&scorer.to_bytes()).expect("reads back")
}

fn scores(scorer: &dyn Scorer, history: &[Interaction], now: i64, content: &Content) -> Vec<f32> {
    let mut out = Scores::new(content.len());
    scorer.score(&Ask { history, now, content, goals: &[] }, &mut out);
    (0..content.len()).map(|c| out.get(u32::try_from(c).expect("small"))).collect()
}

fn evidence(scorer: &dyn Scorer, history: &[Interaction], course: u32, content: &Content) -> Evidence {
    scorer.explain(&Ask { history, now: 91 * DAY, content, goals: &[] }, course)
}

#[test]
fn popularity_counts_learners() {
    let content = school();
    let popular = fitted("popularity", &[], &content);
    assert_eq!(scores(&*popular, &[], 0, &content), [30.0, 30.0, 30.0, 10.0, 10.0, 0.0]);
}

#[test]
fn recent_popularity_fades_and_never_looks_ahead() {
    let content = school();
    let recent = fitted("recent", &[("half_life_days", 7.0)], &content);
    let now = scores(&*recent, &[], 91 * DAY, &content);
    assert!(now[0] > 100.0 * now[3]);
    let then = scores(&*recent, &[], 20 * DAY, &content);
    assert!(then[3] > 0.0, "gardening was on");
    assert!(then[0] < f32::EPSILON, "nobody had baked yet");
    assert_eq!(recent.kind(), ReasonKind::PopularNow);
}

#[test]
fn what_learners_come_back_with_is_not_what_they_take_in_one_sitting() {
    let content = school();
    let back = fitted("recent", &[("pause_hours", 12.0)], &content);
    let scores = scores(&*back, &[], 30 * DAY, &content);
    assert!(scores[4] > 0.0, "gardeners came back with 4");
    let returns = fitted("rules", &[("pause_hours", 12.0), ("backward", 0.0)], &content);
    let after = |course| self::scores(&*returns, &visits(&[(course, 90 * DAY)]), 91 * DAY, &content);
    assert!(after(3)[4] > 0.0);
    assert!(after(0).iter().all(|&score| score < f32::EPSILON), "bakers stayed");
}

#[test]
fn sequential_rules_have_a_direction() {
    let content = school();
    let rules = fitted("rules", &[("backward", 0.1)], &content);
    let baker = visits(&[(1, 90 * DAY)]);
    let next = scores(&*rules, &baker, 91 * DAY, &content);
    assert!(next[2] > next[0] && next[0] > 0.0);
    assert_eq!(evidence(&*rules, &baker, 2, &content).courses, [1]);
}

#[test]
fn a_chain_knows_only_the_latest_course_and_pairs_the_latest_two() {
    let content = school();
    let both = visits(&[(0, 90 * DAY), (1, 90 * DAY)]);
    let chain = scores(&*fitted("markov", &[], &content), &both, 91 * DAY, &content);
    assert_eq!(chain, [0.0, 0.0, 30.0, 0.0, 0.0, 0.0]);
    let pairs = fitted("pairs", &[], &content);
    assert_eq!(scores(&*pairs, &both, 91 * DAY, &content), [0.0, 0.0, 30.0, 0.0, 0.0, 0.0]);
    let strangers = visits(&[(4, 90 * DAY), (1, 90 * DAY)]);
    assert_eq!(scores(&*pairs, &strangers, 91 * DAY, &content), [0.0; 6]);
}

#[test]
fn steps_taken_lately_count_more() {
    let content = school();
    let trend = fitted("trend", &[("half_life_days", 7.0), ("decay", 1.0)], &content);
    let history = visits(&[(3, 90 * DAY), (1, 90 * DAY)]);
    let next = scores(&*trend, &history, 91 * DAY, &content);
    assert!(next[2] > 100.0 * next[4] && next[4] > 0.0);
    assert_eq!(evidence(&*trend, &history, 4, &content).courses, [3]);
}

#[test]
fn neighbours_ease_and_slist_keep_bakers_and_gardeners_apart() {
    let content = school();
    let baker = visits(&[(0, 90 * DAY), (1, 90 * DAY + 600)]);
    for (engine, parameters) in [("neighbours", vec![]), ("ease", vec![("ridge", 5.0)]), ("slist", vec![])] {
        let scorer = fitted(engine, &parameters, &content);
        let next = scores(&*scorer, &baker, 91 * DAY, &content);
        let best = (0..6).filter(|c| ![0, 1].contains(c)).max_by(|&a, &b| next[a].total_cmp(&next[b]));
        assert_eq!(best, Some(2), "{engine}: {next:?}");
        assert!(next[4].abs() < 0.05 * next[2], "{engine}: {next:?}");
        assert!(!evidence(&*scorer, &baker, 2, &content).courses.is_empty(), "{engine}");
    }
}

#[test]
fn topics_know_a_course_that_nobody_took() {
    let content = school();
    let topics = fitted("topics", &[], &content);
    let gardener = [Interaction { seconds: Some(3000.0), ..Interaction::new(3, 90 * DAY) }];
    let next = scores(&*topics, &gardener, 91 * DAY, &content);
    assert!(next[5] > 0.0 && next[4] > next[5] && next[0] < f32::EPSILON);
    assert_eq!(evidence(&*topics, &gardener, 5, &content).topics, [1]);
}

#[test]
fn the_shelf_knows_how_far_learners_step() {
    let content = school();
    let shelf = fitted("shelf", &[], &content);
    let next = scores(&*shelf, &visits(&[(2, 90 * DAY)]), 91 * DAY, &content);
    assert!(next[3] > 0.99, "every step in this school goes one on");
}

#[test]
fn a_damaged_scorer_is_refused() {
    for registration in Registry::standard().iter() {
        let found = (registration.load)(&[0xff; 3]);
        assert!(found.is_err(), "{}", registration.name);
    }
}
