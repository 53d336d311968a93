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
fn a_cohort_is_found_by_what_a_learner_did_and_without_a_history_by_her_goals() {
    let content = school();
    let cohorts = fitted("cohorts", &[("cohorts", 2.0)], &content);
    let asked = |history: &[Interaction], goals: &[u32]| {
        let mut out = Scores::new(content.len());
        cohorts.score(&Ask { history, now: 91 * DAY, content: &content, goals }, &mut out);
        (0..6).map(|course| out.get(course)).collect::<Vec<f32>>()
    };
    let (bakers, gardeners) = ([30.0, 30.0, 30.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 10.0, 10.0, 0.0]);
    assert_eq!(asked(&[], &[0]), bakers);
    assert_eq!(asked(&[], &[1]), gardeners);
    assert_eq!(asked(&visits(&[(5, 90 * DAY)]), &[0]), gardeners, "what she did says more than what she named");
    assert_eq!(asked(&[], &[]), [0.0; 6], "of someone unknown it says nothing");
    assert_eq!(asked(&[], &[99]), [0.0; 6]);
}

#[test]
fn a_cohort_is_never_a_handful_of_learners() {
    let content = school();
    // Asked for six cohorts, the class of forty has two: those with the same interests are one.
    let cohorts = fitted("cohorts", &[("cohorts", 6.0)], &content);
    for goal in [0, 1] {
        let mut out = Scores::new(content.len());
        cohorts.score(&Ask { history: &[], now: 91 * DAY, content: &content, goals: &[goal] }, &mut out);
        assert!(out.touched().iter().all(|&course| out.get(course) >= 10.0));
    }
    let lonely = visits(&[(0, 0), (1, 1)]);
    let registry = Registry::standard();
    let found = registry.find("cohorts").expect("registered");
    let values = Values::check("cohorts", found.parameters, &BTreeMap::new()).expect("defaults");
    let data = TrainingData { content: &content, histories: vec![&lonely; 9], now: 9, clock: true };
    let scorer = (found.build)(&values).fit(&data).expect("fits");
    assert_eq!(scores(&*scorer, &lonely, 9, &content), [0.0; 6], "nine learners are too few");
}

#[test]
fn without_topics_cohorts_are_of_the_courses_taken() {
    let course = |at: u32| Course { key: format!("{at}"), ..Course::default() };
    // More courses than a profile has dimensions, so they are projected.
    let content = Content::new(&Catalogue::new(vec![], (0..200).map(course).collect()).expect("good"));
    let cohorts = fitted("cohorts", &[("cohorts", 2.0)], &content);
    let next = scores(&*cohorts, &visits(&[(0, 90 * DAY), (1, 90 * DAY)]), 91 * DAY, &content);
    assert!(next[2] > 0.0 && next[4] < f32::EPSILON);
    let next = scores(&*cohorts, &visits(&[(3, 90 * DAY)]), 91 * DAY, &content);
    assert!(next[4] > 0.0 && next[2] < f32::EPSILON);
}

/// Thirty learners open 1 after 0 and leave it, twenty go through 2.
fn half_hearted() -> Vec<Vec<Interaction>> {
    let done = |course, at, completion| Interaction { completion: Some(completion), ..Interaction::new(course, at) };
    let left = |n: i64| vec![done(0, n, 1.0), done(1, n + 1, 0.05)];
    let went_through = |n: i64| vec![done(0, n, 1.0), done(2, n + 1, 1.0)];
    (0..30).map(left).chain((30..50).map(went_through)).collect()
}

#[test]
fn by_strength_a_course_gone_through_counts_more_than_one_left_at_once() {
    let content = school();
    let histories = half_hearted();
    let learner = visits(&[(0, 100)]);
    let registry = Registry::standard();
    for engine in ["rules", "markov", "neighbours", "slist", "ease"] {
        let next = |strength: f64| {
            let found = registry.find(engine).expect("registered");
            let given = BTreeMap::from([("strength".to_owned(), strength)]);
            let values = Values::check(engine, found.parameters, &given).expect("in range");
            let histories = histories.iter().map(Vec::as_slice).collect();
            let data = TrainingData { content: &content, histories, now: 60, clock: true };
            scores(&*(found.build)(&values).fit(&data).expect("fits"), &learner, 101, &content)
        };
        let (alike, strong) = (next(0.0), next(1.0));
        assert!(alike[1] > alike[2], "{engine}: {alike:?}");
        assert!(strong[2] > strong[1], "{engine}: {strong:?}");
    }
}

#[test]
fn a_damaged_scorer_is_refused() {
    for registration in Registry::standard().iter() {
        let found = (registration.load)(&[0xff; 3]);
        assert!(found.is_err(), "{}", registration.name);
    }
}
