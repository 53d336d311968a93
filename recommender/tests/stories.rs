//! Stories of learners at a small school: what they took, and what they are shown.

use stoa_recommender::{
    Catalogue, Course, Interaction, Interactions, InteractionsBuilder, Model, Query, Reason, ReasonKind,
    Recommendation, Recommender, Settings,
};

const DAY: i64 = 86_400;
const MONDAY: i64 = 1_700_000_000;

/// Spreadsheets 0..4 build on each other, drawing 4..8 stands alone, cooking 8..10 is rarely taken.
fn school() -> Catalogue {
    let topics = ["Spreadsheets", "Drawing", "Cooking"].map(String::from);
    let titles = [
        "Excel basics",
        "Excel formulas",
        "Excel charts",
        "Excel pivots",
        "Lines",
        "Light and shadow",
        "Portraits",
        "Landscapes",
        "Soups",
        "Bread",
    ];
    let courses = (0_u32..).zip(titles).map(|(at, title)| Course {
        key: format!("course-{at:02}"),
        title: title.into(),
        topics: vec![at / 4],
        level: Some(if at % 4 == 0 { 1 } else { 2 }),
        seconds: Some(1800),
        prerequisites: if (1..4).contains(&at) { vec![at - 1] } else { vec![] },
        published_at: Some(MONDAY - 900 * DAY),
    });
    Catalogue::new(topics.into(), courses.collect()).expect("a good catalogue")
}

fn visit(course: u32, at: i64, completion: f32) -> Interaction {
    Interaction { completion: Some(completion), seconds: Some(completion * 1800.0), ..Interaction::new(course, at) }
}

/// A hundred and twenty learners: half go through Excel in order, half draw, and each tenth bakes.
fn term(school: &Catalogue) -> Interactions {
    let mut rows = InteractionsBuilder::new(school);
    for learner in 0_u32..120 {
        let first = if learner % 2 == 0 { 0 } else { 4 };
        let length = 2 + learner % 3;
        for (step, completion) in (0..length).zip([0.9, 0.8, 0.7, 0.6]) {
            let at = MONDAY + i64::from(learner) * DAY + i64::from(step) * 900;
            let row = visit(first + step, at, completion);
            rows.push(learner.into(), row).expect("a good row");
        }
        if learner % 10 == 0 {
            let at = MONDAY + i64::from(learner + 20) * DAY;
            rows.push(learner.into(), visit(9, at, 0.3)).expect("a good row");
        }
    }
    rows.build()
}

fn trained(school: &Catalogue) -> Model {
    Model::fit(school, &term(school), &Settings::default(), &mut |_| ()).expect("a model")
}

fn next(recommender: &Recommender, history: &[Interaction], limit: usize) -> Vec<Recommendation> {
    recommender.recommend(&Query { history, now: MONDAY + 200 * DAY, limit, ..Query::default() })
}

fn ada() -> Vec<Interaction> {
    let at = MONDAY + 200 * DAY;
    vec![visit(0, at - 1800, 1.0), visit(1, at - 900, 0.8)]
}

#[test]
fn ada_took_excel_basics_and_formulas_and_is_shown_charts_with_a_true_reason() {
    let school = school();
    let model = trained(&school);
    assert!(model.header().choices > 0, "the ranker was fitted, not set by hand");
    let list = next(&model.bind(&school).expect("fits"), &ada(), 3);
    assert_eq!(school.title(list[0].course), "Excel charts");
    let reason =
        list[0].reasons.iter().find(|r| r.kind == ReasonKind::TakenNext).expect("people take charts after formulas");
    assert!(reason.courses.contains(&1));
    let sentence = reason.sentence(&school);
    assert!(sentence.starts_with("Learners who took 'Excel"), "{sentence}");
}

#[test]
fn the_contributions_sum_to_the_score() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    for history in [ada(), vec![], vec![visit(9, MONDAY, 0.5)]] {
        for course in next(&recommender, &history, 10) {
            let sum: f64 = course.contributions.iter().map(|c| c.value).sum();
            assert!((sum - course.score).abs() < 1e-6);
        }
    }
}

#[test]
fn a_list_is_sorted_and_never_shows_what_ada_has_or_dismissed() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    let list = recommender.recommend(&Query {
        history: &ada(),
        now: MONDAY + 200 * DAY,
        exclude: &[2, 77],
        limit: 100,
        ..Query::default()
    });
    assert!(list.iter().all(|r| ![0, 1, 2].contains(&r.course)));
    assert_eq!(list.len(), 7, "every other course, each once");
    assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
}

#[test]
fn without_the_course_behind_a_reason_the_score_falls() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    let charts = |history: &[Interaction]| {
        let list = next(&recommender, history, 10);
        list.into_iter().find(|r| r.course == 2).expect("charts are listed")
    };
    let with = charts(&ada());
    let reason = with.reasons.iter().find(|r| r.kind == ReasonKind::TakenNext);
    let evidence = &reason.expect("a reason from what people take next").courses;
    let mut history = ada();
    history.retain(|row| !evidence.contains(&row.course));
    history.push(visit(9, MONDAY + 200 * DAY - 900, 0.8));
    assert!(charts(&history).score < with.score);
}

#[test]
fn a_new_learner_gets_what_is_popular_and_her_goals_first() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    let list = next(&recommender, &[], 3);
    assert_eq!(list.len(), 3);
    assert!(list[0].reasons.iter().any(|r| r.kind == ReasonKind::PopularNow));
    let list = recommender.recommend(&Query { now: MONDAY + 200 * DAY, goals: &[2], limit: 1, ..Query::default() });
    assert_eq!(school.course(list[0].course).expect("exists").topics, [2]);
    assert_eq!(list[0].reasons[0].kind, ReasonKind::Goal);
    let sentence = list[0].reasons[0].sentence(&school);
    assert_eq!(sentence, "It serves your goal: Cooking.");
    let both = Reason { topics: vec![1, 2], ..list[0].reasons[0].clone() };
    assert_eq!(both.sentence(&school), "It serves your goals: Drawing and Cooking.");
}

#[test]
fn the_same_data_and_seed_give_the_same_model_and_another_seed_may_not() {
    let school = school();
    assert_eq!(trained(&school).to_bytes(), trained(&school).to_bytes());
}

#[test]
fn rows_in_any_order_give_the_same_list() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    let mut backwards = ada();
    backwards.reverse();
    assert_eq!(next(&recommender, &ada(), 5), next(&recommender, &backwards, 5));
}

#[test]
fn few_learners_are_never_counted() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    for course in next(&recommender, &ada(), 10) {
        assert!(course.reasons.iter().all(|r| r.learners.is_none_or(|n| n >= 10)));
    }
}

#[test]
fn a_catalogue_that_changed_is_matched_by_key() {
    let old = school();
    let model = trained(&old);
    // Charts vanished, a new course on spreadsheets came first, and all moved by one.
    let mut courses =
        vec![Course { key: "new".into(), title: "Excel for teams".into(), topics: vec![0], ..Course::default() }];
    courses.extend(old.courses().iter().filter(|c| c.key != "course-02").cloned());
    for course in &mut courses {
        course.prerequisites.clear();
    }
    let new = Catalogue::new(old.topics().to_vec(), courses).expect("a good catalogue");
    let recommender = model.bind(&new).expect("most courses are still there");
    let mut history = ada();
    for row in &mut history {
        row.course += 1;
    }
    let list = next(&recommender, &history, 20);
    let titles: Vec<_> = list.iter().map(|r| new.title(r.course)).collect();
    assert!(titles[..3].contains(&"Excel pivots"), "{titles:?}");
    assert!(titles.contains(&"Excel for teams"));
    assert_eq!(list.len(), new.len() - 2);
}

#[test]
fn a_new_learner_without_goals_and_a_new_course_get_their_places_in_the_first_minute() {
    let old = school();
    let mut courses = old.courses().to_vec();
    courses.push(Course {
        key: "course-10".into(),
        title: "Cakes".into(),
        topics: vec![2],
        level: Some(1),
        published_at: Some(MONDAY + 200 * DAY - 60),
        ..Course::default()
    });
    let new = Catalogue::new(old.topics().to_vec(), courses).expect("a good catalogue");
    let recommender = trained(&old).bind(&new).expect("fits");
    // She knows nothing yet and named nothing: what is popular now, each with a reason.
    let list = next(&recommender, &[], 5);
    assert_eq!(list.len(), 5);
    assert!(list[..3].iter().all(|r| !r.reasons.is_empty()));
    // She wants to cook: the course that appeared a minute ago is there, and says what for.
    let query = Query { now: MONDAY + 200 * DAY, goals: &[2], limit: 5, ..Query::default() };
    let list = recommender.recommend(&query);
    let cakes = list.iter().find(|r| new.title(r.course) == "Cakes").expect("listed");
    assert!(cakes.reasons.iter().any(|r| r.kind == ReasonKind::Goal));
    // One who bakes sees it without having named anything.
    let baker = [visit(9, MONDAY + 200 * DAY - 600, 1.0)];
    let list = next(&recommender, &baker, 5);
    assert!(list.iter().any(|r| new.title(r.course) == "Cakes"), "{list:?}");
}

#[test]
fn a_new_learner_who_named_goals_gets_what_learners_like_her_take() {
    let school = school();
    let recommender = trained(&school).bind(&school).expect("fits");
    let query = Query { now: MONDAY + 200 * DAY, goals: &[1], limit: 3, ..Query::default() };
    let list = recommender.recommend(&query);
    let reason = list[0].reasons.iter().find(|r| r.kind == ReasonKind::Cohort).expect("drawers are a cohort");
    let sentence = reason.sentence(&school);
    assert!(sentence.ends_with("learners with interests like yours took it."), "{sentence}");
    assert!(list.iter().all(|r| school.course(r.course).expect("exists").topics == [1]));
    // From her first course on it is the ranker's list, and the ranker was not told of cohorts.
    let query = Query { history: &ada(), ..query };
    let list = recommender.recommend(&query);
    assert!(list.iter().flat_map(|r| &r.contributions).all(|c| !c.feature.starts_with("cohorts")));
}
