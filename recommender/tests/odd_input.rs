//! Input that is small, empty, wrong or damaged.

use stoa_recommender::{
    Catalogue, CatalogueError, Course, EngineSettings, Interaction, InteractionError, InteractionsBuilder, Model,
    ModelError, Query, Recommender, Registry, Settings, SettingsError,
};

fn catalogue(courses: usize) -> Catalogue {
    let courses = (0..courses).map(|at| Course { key: at.to_string(), ..Course::default() });
    Catalogue::new(vec![], courses.collect()).expect("a good catalogue")
}

fn trained(catalogue: &Catalogue, rows: &[(u64, u32, i64)]) -> Recommender {
    let mut builder = InteractionsBuilder::new(catalogue);
    for &(learner, course, at) in rows {
        let row = Interaction::new(course, at);
        builder.push(learner, row).expect("a good row");
    }
    let model = Model::fit(catalogue, &builder.build(), &Settings::default(), &mut |_| ());
    model.expect("little data is no error").bind(catalogue).expect("fits")
}

fn next(recommender: &Recommender, history: &[Interaction]) -> Vec<u32> {
    let query = Query { history, now: 1_000_000, limit: 5, ..Query::default() };
    recommender.recommend(&query).iter().map(|r| r.course).collect()
}

#[test]
fn a_catalogue_without_courses_gives_an_empty_list() {
    let nothing = trained(&catalogue(0), &[]);
    assert!(next(&nothing, &[]).is_empty());
    assert!(next(&nothing, &[Interaction::new(3, 5)]).is_empty());
}

#[test]
fn a_school_where_nobody_did_anything_shows_its_catalogue() {
    assert_eq!(next(&trained(&catalogue(3), &[]), &[]), [0, 1, 2]);
}

#[test]
fn one_course_one_learner_and_everyone_in_the_same_course() {
    let one = trained(&catalogue(1), &[(1, 0, 5)]);
    assert_eq!(next(&one, &[]), [0]);
    assert!(next(&one, &[Interaction::new(0, 5)]).is_empty());
    let lonely = trained(&catalogue(4), &[(1, 2, 5), (1, 3, 6)]);
    assert_eq!(next(&lonely, &[Interaction::new(2, 9)])[0], 3);
    let rows: Vec<_> = (0..200).map(|learner| (learner, 1, 7)).collect();
    let same = trained(&catalogue(4), &rows);
    assert_eq!(next(&same, &[])[0], 1);
    assert_eq!(next(&same, &[Interaction::new(1, 9)]).len(), 3);
}

#[test]
fn everything_at_the_same_second_is_fine() {
    let rows: Vec<_> = (0_u32..100).flat_map(|l| (0..4).map(move |c| (u64::from(l), (c + l) % 6, 7))).collect();
    let same = trained(&catalogue(6), &rows);
    assert_eq!(next(&same, &[Interaction::new(1, 7)]).len(), 5);
}

#[test]
fn rows_that_make_no_sense_are_refused_by_value() {
    let school = catalogue(2);
    let mut rows = InteractionsBuilder::new(&school);
    let good = Interaction::new(0, 5);
    let mut refused = |row: Interaction| rows.push(1, row).expect_err("refused").to_string();
    assert_eq!(refused(Interaction::new(2, 5)), "course 2 is not in the catalogue, which has 2");
    assert_eq!(refused(Interaction { completion: Some(1.5), ..good }), "completion 1.5 is not between 0 and 1");
    assert_eq!(refused(Interaction { completion: Some(f32::NAN), ..good }), "completion NaN is not between 0 and 1");
    for seconds in [-1.0, f32::INFINITY, f32::NAN, 1e12] {
        refused(Interaction { seconds: Some(seconds), ..good });
    }
    refused(Interaction { rating: Some(-0.1), ..good });
    assert_eq!(rows.push(1, Interaction::new(0, i64::MAX)), Err(InteractionError::Time(i64::MAX)));
    assert!(rows.build().is_empty());
}

#[test]
fn a_course_opened_twice_keeps_its_first_time_its_best_completion_and_all_its_seconds() {
    let school = catalogue(1);
    let mut rows = InteractionsBuilder::new(&school);
    let visit = |at, completion, seconds| Interaction {
        completion: Some(completion),
        seconds: Some(seconds),
        ..Interaction::new(0, at)
    };
    rows.push(9, visit(50, 0.4, 60.0)).expect("good");
    rows.push(9, visit(10, 0.7, 30.0)).expect("good");
    let rows = rows.build();
    assert_eq!(rows.of(9), [visit(10, 0.7, 90.0)]);
    assert!(rows.of(8).is_empty());
}

#[test]
fn a_history_with_rows_that_make_no_sense_is_answered_all_the_same() {
    let school = trained(&catalogue(3), &[(1, 0, 5), (1, 1, 6), (2, 0, 5), (2, 1, 9)]);
    let history = [
        Interaction::new(0, 5),
        Interaction::new(99, 5),
        Interaction { completion: Some(f32::NAN), ..Interaction::new(2, 5) },
        Interaction::new(0, 7),
    ];
    assert_eq!(next(&school, &history), next(&school, &history[..1]));
}

#[test]
fn settings_out_of_range_are_named() {
    let registry = Registry::standard();
    let refused = |settings: Settings| settings.check(&registry).expect_err("refused").to_string();
    assert_eq!(refused(Settings { folds: 1, ..Settings::default() }), "folds is 1, expected 2 to 50");
    assert_eq!(refused(Settings { ridge: f64::NAN, ..Settings::default() }), "ridge is NaN, expected 0 to 1000000000");
    let engines = |engine: EngineSettings| Settings { engines: vec![engine], ..Settings::default() };
    assert_eq!(refused(engines(EngineSettings::new("rules").with("decay", 2.0))), "rules.decay is 2, expected 0 to 1");
    assert_eq!(
        refused(engines(EngineSettings::new("rules").with("speed", 2.0))),
        "the engine \"rules\" has no parameter \"speed\""
    );
    let oracle = engines(EngineSettings::new("oracle"));
    assert!(refused(oracle).starts_with("there is no engine \"oracle\"; there are popularity, "));
    assert_eq!(Settings { engines: vec![], ..Settings::default() }.check(&registry), Err(SettingsError::NoEngine));
}

#[test]
fn catalogues_that_make_no_sense_are_refused() {
    let course = |key: &str| Course { key: key.into(), ..Course::default() };
    let refused = |courses: Vec<Course>| Catalogue::new(vec!["T".into()], courses).expect_err("refused");
    assert_eq!(refused(vec![course("a"), course("a")]), CatalogueError::DuplicateKey("a".into()));
    assert_eq!(refused(vec![course("")]), CatalogueError::EmptyKey(0));
    assert_eq!(
        refused(vec![Course { level: Some(4), ..course("a") }]).to_string(),
        "course \"a\" has level 4, expected 1 to 3"
    );
    assert_eq!(
        refused(vec![Course { topics: vec![1], ..course("a") }]).to_string(),
        "course \"a\" names topic 1, but there are 1 topics"
    );
    refused(vec![Course { prerequisites: vec![0], ..course("a") }]);
}

fn small() -> (Catalogue, Model) {
    let school = catalogue(3);
    let mut rows = InteractionsBuilder::new(&school);
    for learner in 0..5 {
        rows.push(learner, Interaction::new(0, 10)).expect("good");
        rows.push(learner, Interaction::new(1, 20)).expect("good");
    }
    let model = Model::fit(&school, &rows.build(), &Settings::default(), &mut |_| ());
    (school, model.expect("a model"))
}

#[test]
fn a_saved_model_ranks_identically_and_says_what_it_is() {
    let (school, model) = small();
    let model = model.stamp(1234);
    let loaded = Model::from_bytes(&model.to_bytes()).expect("reads back");
    assert_eq!(loaded.header(), model.header());
    assert_eq!(loaded.header().trained_at, 1234);
    assert_eq!((loaded.header().learners, loaded.header().interactions), (5, 10));
    assert_eq!(loaded.header().catalogue, school.fingerprint());
    let history = [Interaction::new(0, 10)];
    let query = Query { history: &history, now: 30, limit: 3, ..Query::default() };
    let (one, other) = (model.bind(&school), loaded.bind(&school));
    assert_eq!(one.expect("fits").recommend(&query), other.expect("fits").recommend(&query));
}

#[test]
fn damaged_foreign_and_newer_files_are_told_apart() {
    let (_, model) = small();
    let bytes = model.to_bytes();
    assert_eq!(Model::from_bytes(b"PNG").err(), Some(ModelError::Foreign));
    assert_eq!(Model::from_bytes(b"").err(), Some(ModelError::Foreign));
    let mut newer = bytes.clone();
    newer[8] = 200;
    assert_eq!(Model::from_bytes(&newer).err(), Some(ModelError::Newer { found: 200, known: 2 }));
    let damaged = |bytes: &[u8]| matches!(Model::from_bytes(bytes), Err(ModelError::Damaged(_)));
    for cut in [9, 20, 40, 60, bytes.len() - 1] {
        assert!(damaged(&bytes[..cut]), "cut at {cut}");
    }
    for at in [12, 25, 52, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(damaged(&bytes), "flipped a bit at {at}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(damaged(&longer));
}

#[test]
fn a_model_of_another_catalogue_does_not_bind() {
    let (_, model) = small();
    let course = Course { key: "elsewhere".into(), ..Course::default() };
    let other = Catalogue::new(vec![], vec![course]).expect("a good catalogue");
    assert_eq!(model.bind(&other).err(), Some(ModelError::OtherCatalogue { courses: 3 }));
}
