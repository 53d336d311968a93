//! The list as it is served: spread, exploration, paths, feedback, and why a course is not in it.

use std::collections::HashMap;

use stoa_recommender::{
    Catalogue, Course, DataUsed, EngineSettings, Feedback, FeedbackKind, Interaction, InteractionsBuilder, Model,
    Obstacle, Prerequisites, Query, ReasonKind, Recommendation, Recommender, Settings, WhyNot,
};

const DAY: i64 = 86_400;
const NOW: i64 = 1_700_000_000;

/// Four topics of ten courses. The first four on baking build on each other; nobody took the last ten.
fn school() -> Catalogue {
    let topics = ["Baking", "Drawing", "Statistics", "Gardening"].map(String::from);
    let course = |at: u32| Course {
        key: format!("{at:02}"),
        title: format!("Course {at}"),
        topics: vec![at / 10],
        prerequisites: if (1..4).contains(&at) { vec![at - 1] } else { vec![] },
        ..Course::default()
    };
    Catalogue::new(topics.into(), (0..40).map(course).collect()).expect("a good catalogue")
}

fn visit(course: u32, at: i64, completion: f32) -> Interaction {
    Interaction { completion: Some(completion), ..Interaction::new(course, at) }
}

/// Ninety learners walk six courses of their topic. Four in five complete baking and drawing, one in five
/// statistics, and each completes either all or nothing.
fn trained(school: &Catalogue, settings: &Settings) -> Recommender {
    let mut rows = InteractionsBuilder::new(school);
    for learner in 0_u32..90 {
        let topic = learner % 3;
        for step in 0..6 {
            let course = topic * 10 + (learner / 3 + step) % 10;
            let at = NOW - i64::from(100 - learner) * DAY + i64::from(step) * 900;
            let done = if topic == 2 { learner / 3 % 5 == 0 } else { learner / 3 % 5 > 0 };
            let row = visit(course, at, if done { 1.0 } else { 0.2 });
            rows.push(learner.into(), row).expect("a good row");
        }
    }
    let model = Model::fit(school, &rows.build(), settings, &mut |_| ()).expect("a model");
    model.bind(school).expect("fits")
}

/// No choices: the weights set by hand, so that a fit takes no time.
fn plain() -> Settings {
    let engines = ["popularity", "rules", "neighbours", "ease", "topics", "shelf"].map(EngineSettings::new);
    Settings {
        engines: engines.into(),
        choices: 0,
        tune: false,
        exploration: 0.0,
        spread: 0.0,
        reasons: 20,
        ..Settings::default()
    }
}

fn baker() -> Vec<Interaction> {
    vec![visit(4, NOW - 1800, 1.0), visit(5, NOW - 900, 1.0)]
}

fn query(history: &[Interaction]) -> Query<'_> {
    Query { history, now: NOW, limit: 10, ..Query::default() }
}

fn courses(list: &[Recommendation]) -> Vec<u32> {
    list.iter().map(|item| item.course).collect()
}

fn word(course: u32, kind: FeedbackKind, at: i64) -> Feedback {
    Feedback { course, kind, at }
}

fn find(list: &[Recommendation], course: u32) -> &Recommendation {
    list.iter().find(|item| item.course == course).expect("it is listed")
}

fn part(item: &Recommendation, feature: &str) -> f64 {
    item.contributions.iter().find(|c| &*c.feature == feature).map_or(0.0, |c| c.value)
}

#[test]
fn each_course_is_shown_as_often_as_its_propensity_says() {
    let school = school();
    let recommender = trained(&school, &Settings { exploration: 0.15, ..plain() });
    let history = [visit(4, NOW - 1800, 1.0), visit(35, NOW - 900, 1.0)];
    let mut shown: HashMap<(u32, usize), (f64, f64)> = HashMap::new();
    let rounds = 6000;
    for seed in 0..rounds {
        let list = recommender.recommend(&Query { seed, ..query(&history) });
        assert_eq!(list.len(), 10);
        for (place, item) in list.iter().enumerate() {
            assert!(!list[..place].iter().any(|other| other.course == item.course), "no repeats");
            assert!(place >= 8 || !item.explored, "the first places never explore");
            let entry = shown.entry((item.course, place)).or_insert((0.0, item.propensity));
            entry.0 += 1.0;
            assert!((entry.1 - item.propensity).abs() < 1e-12, "the same course in the same place");
        }
        assert!(list[9].explored, "ten times 0.15 is one place always, and a second half of the time");
    }
    for ((course, place), (count, propensity)) in shown {
        let rate = count / f64::from(u32::try_from(rounds).expect("small"));
        assert!((rate - propensity).abs() < 0.03, "{course} at {place}: {rate} against {propensity}");
    }
}

#[test]
fn a_seed_gives_one_list_and_short_lists_explore_nothing() {
    let school = school();
    let recommender = trained(&school, &Settings { exploration: 0.5, ..plain() });
    let history = baker();
    let list = |seed, limit| recommender.recommend(&Query { seed, limit, ..query(&history) });
    assert_eq!(list(7, 10), list(7, 10));
    assert_ne!(courses(&list(7, 10)), courses(&list(8, 10)));
    assert_eq!(list(7, 10).iter().filter(|item| item.explored).count(), 5);
    assert!(list(7, 4).iter().all(|item| !item.explored && item.propensity >= 1.0));
}

#[test]
fn topics_are_spread_and_what_is_taken_off_for_it_is_a_part_of_the_score() {
    let school = school();
    let history = baker();
    let topics = |spread| {
        let list = trained(&school, &Settings { spread, ..plain() }).recommend(&Query { limit: 3, ..query(&history) });
        assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for item in &list {
            let sum: f64 = item.contributions.iter().map(|c| c.value).sum();
            assert!((sum - item.score).abs() < 1e-6);
            assert!(part(item, "spread") <= 0.0);
        }
        let mut topics: Vec<u32> = courses(&list).iter().map(|c| c / 10).collect();
        topics.sort_unstable();
        topics.dedup();
        topics.len()
    };
    assert_eq!(topics(0.0), 1);
    assert_eq!(topics(5.0), 3);
}

#[test]
fn a_course_comes_with_the_path_that_leads_to_it() {
    let school = school();
    let recommender = trained(&school, &plain());
    let history = baker();
    let path = |feedback: &[Feedback]| {
        let list = recommender.recommend(&Query { limit: 40, feedback, ..query(&history) });
        find(&list, 3).path.clone()
    };
    assert_eq!(path(&[]), [0, 1, 2]);
    assert_eq!(path(&[word(0, FeedbackKind::AlreadyKnow, NOW)]), [1, 2], "what she knows counts as taken");
    assert_eq!(path(&[word(0, FeedbackKind::Dismiss, NOW)]), [0, 1, 2], "what she dismissed does not");
    let list = recommender.recommend(&query(&history));
    assert!(find(&list, 6).path.is_empty());
}

#[test]
fn prerequisites_in_a_circle_are_walked_once() {
    let mut courses = school().courses().to_vec();
    courses[0].prerequisites = vec![3];
    let school = Catalogue::new(school().topics().to_vec(), courses).expect("a good catalogue");
    let list = trained(&school, &plain()).recommend(&Query { limit: 40, ..query(&baker()) });
    assert_eq!(find(&list, 3).path, [0, 1, 2]);
    assert_eq!(find(&list, 1).path, [2, 3, 0]);
}

#[test]
fn where_prerequisites_are_required_a_course_waits_for_them() {
    let school = school();
    let recommender = trained(&school, &Settings { prerequisites: Prerequisites::Require, ..plain() });
    let history = baker();
    let all = Query { limit: 40, ..query(&history) };
    let list = recommender.recommend(&all);
    assert!(list.iter().all(|item| item.path.is_empty() && ![1, 2, 3].contains(&item.course)));
    let why = recommender.why_not(&all, 3);
    assert!(matches!(&why, WhyNot::Outranked { course, .. } if course.path == [0, 1, 2]), "{why:?}");
    let sentence = why.sentence(&school);
    assert!(
        sentence.starts_with("It builds on what you have not taken: 'Course 0', then 'Course 1', then 'Course 2'."),
        "{sentence}"
    );
}

#[test]
fn what_she_likes_brings_up_what_is_like_it() {
    let school = school();
    let recommender = trained(&school, &plain());
    let history = baker();
    let before = recommender.recommend(&Query { limit: 40, ..query(&history) });
    let feedback = [word(14, FeedbackKind::Like, NOW)];
    let after = recommender.recommend(&Query { limit: 40, feedback: &feedback, ..query(&history) });
    let item = find(&after, 15);
    assert!(part(item, "liked") > 0.0 && item.score > find(&before, 15).score);
    let reason = item.reasons.iter().find(|r| r.kind == ReasonKind::Liked).expect("a reason");
    assert_eq!(reason.sentence(&school), "You liked 'Course 14'.");
    assert!(part(find(&after, 25), "liked").abs() < 1e-12, "statistics is nothing like it");
    find(&after, 14);
}

#[test]
fn what_she_wants_less_of_sinks_and_the_latest_word_counts() {
    let school = school();
    let recommender = trained(&school, &plain());
    let history = baker();
    let list = |feedback: &[Feedback]| recommender.recommend(&Query { limit: 40, feedback, ..query(&history) });
    let less = list(&[word(6, FeedbackKind::LessLikeThis, NOW)]);
    assert!(!courses(&less).contains(&6));
    assert!(part(find(&less, 7), "less_like_this") < 0.0 && find(&less, 7).score < find(&list(&[]), 7).score);
    for kind in [FeedbackKind::Dismiss, FeedbackKind::AlreadyKnow] {
        assert!(!courses(&list(&[word(6, kind, NOW)])).contains(&6));
    }
    let changed = [word(6, FeedbackKind::Like, NOW), word(6, FeedbackKind::Dismiss, NOW - 60)];
    assert!(courses(&list(&changed)).contains(&6), "she dismissed it first and likes it now");
}

#[test]
fn one_engine_alone_ranks_by_its_score_alone() {
    let school = school();
    let recommender = trained(&school, &Settings { spread: 1.0, exploration: 0.5, ..plain() });
    let history = baker();
    let list = recommender.recommend(&Query { only: Some("rules"), goals: &[3], ..query(&history) });
    assert_eq!(list[0].course, 6, "what is taken after 4 and 5");
    let known = list.iter().filter(|item| !item.reasons.is_empty());
    assert!(known.clone().count() >= 2);
    for item in known {
        assert!(item.contributions.iter().all(|c| &*c.feature == "rules.share"));
        assert!(item.reasons.iter().all(|r| r.kind == ReasonKind::TakenNext));
    }
    let unknown = recommender.recommend(&Query { only: Some("oracle"), ..query(&history) });
    assert_eq!(unknown, recommender.recommend(&query(&history)), "no such engine: the whole hybrid");
}

#[test]
fn why_a_course_is_not_there() {
    let school = school();
    let recommender = trained(&school, &plain());
    let history = baker();
    let feedback = [
        word(6, FeedbackKind::Dismiss, NOW),
        word(7, FeedbackKind::LessLikeThis, NOW),
        word(8, FeedbackKind::AlreadyKnow, NOW),
        word(4, FeedbackKind::Dismiss, NOW),
    ];
    let asked = Query { feedback: &feedback, exclude: &[9], limit: 2, ..query(&history) };
    let why = |course| recommender.why_not(&asked, course);
    assert_eq!(why(4), WhyNot::Barred(Obstacle::Taken));
    assert_eq!(why(6), WhyNot::Barred(Obstacle::Dismissed));
    assert_eq!(why(7), WhyNot::Barred(Obstacle::LessLikeThis));
    assert_eq!(why(8), WhyNot::Barred(Obstacle::AlreadyKnown));
    assert_eq!(why(9), WhyNot::Barred(Obstacle::Excluded));
    assert_eq!(why(77), WhyNot::Barred(Obstacle::Unknown));
    assert_eq!(why(35), WhyNot::NoEvidence, "nobody took it, and it is on nothing she looked at");
    let first = recommender.recommend(&asked)[1].course;
    assert_eq!(why(first), WhyNot::Listed { place: 2 });
    let all = recommender.recommend(&Query { limit: 40, ..asked });
    let WhyNot::Outranked { place, gap, course } = why(all[4].course) else {
        panic!("it was weighed: {:?}", why(all[4].course));
    };
    assert_eq!((place, course.course), (5, all[4].course));
    assert!((gap - (all[1].score - all[4].score)).abs() < 1e-9);
    assert_eq!(why(6).sentence(&school), "You dismissed it.");
}

#[test]
fn only_what_changes_the_list_is_named_as_used() {
    let school = school();
    let recommender = trained(&school, &plain());
    let history = baker();
    let used = |query: Query<'_>| recommender.data_used(&query);
    assert_eq!(used(query(&[])), []);
    assert_eq!(used(query(&history)), [DataUsed::History, DataUsed::Completion, DataUsed::Time][..2]);
    let mut rated = history.clone();
    for row in &mut rated {
        row.completion = None;
        row.rating = Some(0.9);
    }
    assert_eq!(used(query(&rated)), [DataUsed::History], "no engine here reads ratings");
    assert_eq!(used(Query { goals: &[2], ..query(&[]) }), [DataUsed::Goals]);
    assert_eq!(used(Query { goals: &[99], ..query(&[]) }), [], "no course has that topic");
    let feedback = [word(6, FeedbackKind::Dismiss, NOW)];
    assert_eq!(used(Query { feedback: &feedback, ..query(&[]) }), [DataUsed::Feedback]);
}

#[test]
fn a_step_that_few_learners_took_is_no_reason() {
    let school = school();
    let model = |learners: u64| {
        let mut rows = InteractionsBuilder::new(&school);
        for learner in 0..learners {
            rows.push(learner, Interaction::new(14, NOW - 9000)).expect("a good row");
            rows.push(learner, Interaction::new(21, NOW - 8000)).expect("a good row");
        }
        let model = Model::fit(&school, &rows.build(), &plain(), &mut |_| ()).expect("a model");
        model.bind(&school).expect("fits")
    };
    let history = [Interaction::new(14, NOW - 60)];
    let steps = [ReasonKind::TakenNext, ReasonKind::SimilarTo];
    let few = model(9).recommend(&query(&history));
    assert_eq!(few[0].course, 21);
    assert!(few[0].reasons.iter().all(|r| !steps.contains(&r.kind)), "{:?}", few[0].reasons);
    let enough = model(12).recommend(&query(&history));
    for kind in steps {
        let reason = enough[0].reasons.iter().find(|r| r.kind == kind).expect("a reason");
        assert_eq!((&reason.courses[..], reason.learners), (&[14][..], Some(12)));
    }
}

#[test]
fn she_is_told_what_she_is_likely_to_complete() {
    let school = school();
    let recommender = trained(&school, &Settings { completion_weight: 1.0, ..plain() });
    let history = baker();
    let list = recommender.recommend(&Query { limit: 40, ..query(&history) });
    let (drawing, statistics) = (find(&list, 16), find(&list, 26));
    assert!(drawing.completion > statistics.completion, "{:?} {:?}", drawing.completion, statistics.completion);
    let likely = |item: &Recommendation| item.reasons.iter().any(|r| r.kind == ReasonKind::LikelyToComplete);
    assert!(likely(find(&list, 6)));
    let never: Vec<Interaction> = history.iter().map(|row| visit(row.course, row.at, 0.1)).collect();
    let list_of_never = recommender.recommend(&Query { limit: 40, ..query(&never) });
    assert!(!list_of_never.iter().any(likely), "she completes nothing");
    let without = trained(&school, &Settings { completion_weight: 0.0, ..plain() });
    let same = without.recommend(&Query { limit: 40, ..query(&history) });
    assert!(part(find(&same, 6), "completion").abs() < 1e-12);
    assert_eq!(find(&same, 6).completion, find(&list, 6).completion);
}

#[test]
fn where_nobody_measured_completion_nothing_is_said_of_it() {
    let school = school();
    let mut rows = InteractionsBuilder::new(&school);
    for learner in 0..300 {
        rows.push(learner, Interaction::new(14, NOW - 9000)).expect("a good row");
    }
    let rows = rows.build();
    let model = Model::fit(&school, &rows, &plain(), &mut |_| ()).expect("a model");
    let list = model.bind(&school).expect("fits").recommend(&query(&[]));
    assert!(list.iter().all(|item| item.completion.is_none()));
    assert!(stoa_recommender::completion::evaluate(&school, &rows).is_none());
}

#[test]
fn with_everything_on_parts_sum_to_scores_and_a_loaded_model_ranks_identically() {
    let school = school();
    let settings = Settings { spread: 0.7, exploration: 0.3, completion_weight: 0.5, ..plain() };
    let recommender = trained(&school, &settings);
    let loaded = Model::from_bytes(&recommender.model().to_bytes()).expect("reads back").bind(&school).expect("fits");
    let history = baker();
    let feedback = [word(14, FeedbackKind::Like, NOW), word(7, FeedbackKind::LessLikeThis, NOW)];
    for seed in 0..20 {
        let asked = Query { feedback: &feedback, goals: &[3], seed, ..query(&history) };
        let list = recommender.recommend(&asked);
        assert_eq!(list, loaded.recommend(&asked));
        for item in &list {
            let sum: f64 = item.contributions.iter().map(|c| c.value).sum();
            assert!((sum - item.score).abs() < 1e-6);
            assert!(item.completion.is_some_and(|p| p > 0.0 && p < 1.0));
        }
    }
}

#[test]
fn without_the_evidence_of_a_reason_the_score_falls() {
    let school = school();
    let recommender = trained(&school, &Settings { completion_weight: 1.0, ..plain() });
    let history = [visit(0, NOW - 1800, 1.0), visit(5, NOW - 900, 1.0)];
    let feedback = [word(7, FeedbackKind::Like, NOW)];
    let asked = Query { feedback: &feedback, goals: &[0], limit: 40, ..query(&history) };
    let list = recommender.recommend(&asked);
    let elsewhere = visit(36, NOW - 900, 1.0);
    let mut tested = 0;
    for item in &list {
        for reason in &item.reasons {
            let mut less = history.to_vec();
            let mut without = asked;
            match reason.kind {
                ReasonKind::Goal => without.goals = &[],
                ReasonKind::Liked => without.feedback = &[],
                ReasonKind::LikelyToComplete => less.iter_mut().for_each(|row| row.completion = Some(0.0)),
                ReasonKind::TimeOnTopic => {
                    let on = |course: u32| reason.topics.contains(&(course / 10));
                    less.iter_mut().filter(|row| on(row.course)).for_each(|row| row.course += 30);
                }
                ReasonKind::TakenNext
                | ReasonKind::SimilarTo
                | ReasonKind::PrerequisitesMet
                | ReasonKind::NextInCatalogue => {
                    less.retain(|row| !reason.courses.contains(&row.course));
                    less.push(elsewhere);
                }
                _ => continue,
            }
            without.history = &less;
            let other = recommender.recommend(&without);
            let score = other.iter().find(|other| other.course == item.course).map(|other| other.score);
            assert!(score.is_none_or(|score| score < item.score), "{} without {reason:?}", item.course);
            tested |= 1 << reason.kind as u32;
        }
    }
    for kind in [
        ReasonKind::Goal,
        ReasonKind::Liked,
        ReasonKind::LikelyToComplete,
        ReasonKind::TimeOnTopic,
        ReasonKind::TakenNext,
        ReasonKind::SimilarTo,
        ReasonKind::PrerequisitesMet,
        ReasonKind::NextInCatalogue,
    ] {
        assert!(tested & (1 << kind as u32) != 0, "no course gave {kind}");
    }
}
