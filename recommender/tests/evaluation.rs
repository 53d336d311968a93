//! The evaluation on small data whose answers are known.

use std::fs;
use std::path::PathBuf;

use stoa_recommender::engine::Registry;
use stoa_recommender::evaluate::{Part, Protocol, Split, Trial, evaluate, evaluate_split, leave_last_out};
use stoa_recommender::{Catalogue, Course, EngineSettings, Interaction, Interactions, InteractionsBuilder, Settings};

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("stoa-split-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    for (file, text) in files {
        fs::write(dir.join(file), text).expect("a file");
    }
    dir
}

const GOOD: [(&str, &str); 6] = [
    ("item_ids.tsv", "0\t700\n1\t701\n2\t9\n"),
    ("train.tsv", "0\t0\t10\t0.5\n1\t0\t12\t1\n"),
    ("val_target.tsv", "0\t1\t20\n1\t1\t22\n"),
    ("trainval.tsv", "0\t0\t10\t0.5\n0\t1\t20\t1\n1\t0\t12\t1\n1\t1\t22\t0\n"),
    ("test_target.tsv", "0\t2\t30\n"),
    ("topics.tsv", "0\tWord|Excel\n2\tExcel\n"),
];

#[test]
fn a_split_is_read_and_judged() {
    let split = Split::read(folder("good", &GOOD)).expect("reads");
    assert_eq!(split.catalogue.topics(), ["Word", "Excel"]);
    assert_eq!(split.catalogue.index_of("9"), Some(2));
    assert_eq!(split.trainval.of(0).len(), 2);
    let settings = Settings::default();
    let report = evaluate_split(&split, Part::Test, &settings, &mut |_| ()).expect("judged");
    // One question, one course left: it is found whatever the scores.
    assert_eq!(report.questions, 1);
    let mix = report.mix().expect("the mix is judged");
    assert_eq!((mix.hr_10, mix.ndcg_10, mix.mrr), (1.0, 1.0, 1.0));
    assert!(report.to_string().contains("popularity"));
}

#[test]
fn an_error_names_file_line_and_column() {
    let broken = |file: &str, text: &str| {
        let mut files = GOOD;
        for entry in &mut files {
            if entry.0 == file {
                entry.1 = text;
            }
        }
        let name = format!("{}-{}", file.replace('.', "-"), text.len());
        let error = Split::read(folder(&name, &files)).expect_err("refused");
        let text = error.to_string();
        text[text.find(file).expect("the file is named")..].to_owned()
    };
    assert_eq!(
        broken("train.tsv", "0\t0\t10\t0.5\n1\tx\t12\t1\n"),
        "train.tsv:2:2: an item's index expected, found \"x\""
    );
    assert_eq!(broken("train.tsv", "0\t0\n"), "train.tsv:1:3: a time in whole Unix seconds is missing");
    assert_eq!(broken("train.tsv", "0\t0\t10\t7.5\n"), "train.tsv:1: completion 7.5 is not between 0 and 1");
    assert_eq!(
        broken("val_target.tsv", "0\t8\t10\n"),
        "val_target.tsv:1: course 8 is not in the catalogue, which has 3"
    );
    assert_eq!(broken("item_ids.tsv", "1\t700\n"), "item_ids.tsv:1:1: items are numbered in order: 0 expected");
    let missing = Split::read("/nowhere").expect_err("refused").to_string();
    assert!(missing.starts_with("/nowhere/item_ids.tsv: "), "{missing}");
}

#[test]
fn where_all_go_the_same_way_sequential_rules_are_always_right_and_popularity_is_not() {
    let courses = (0..12).map(|at| Course { key: at.to_string(), ..Course::default() });
    let catalogue = Catalogue::new(vec![], courses.collect()).expect("a good catalogue");
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0_u32..60 {
        for step in 0..4 {
            let row = Interaction::new((learner + step) % 12, i64::from(learner * 100 + step));
            rows.push(learner.into(), row).expect("a good row");
        }
    }
    let settings = Settings::default();
    let report = leave_last_out(&catalogue, &rows.build(), &settings, &mut |_| ()).expect("judged");
    assert_eq!(report.questions, 60);
    let ndcg = |name: &str| report.method(name).expect("judged").ndcg_10;
    assert!(ndcg("rules") > 0.99);
    assert!(ndcg("mix") > 0.99);
    assert!(ndcg("popularity") < 0.6);
}

#[test]
fn rolling_asks_for_everything_after_the_cut_and_first_return_once_for_each_who_was_there() {
    let courses = (0..6).map(|at| Course { key: at.to_string(), ..Course::default() });
    let catalogue = Catalogue::new(vec![], courses.collect()).expect("a good catalogue");
    let mut rows = InteractionsBuilder::new(&catalogue);
    // Ten rows, so the cut is at the ninth. Ada and Ben never come back after it; Cleo is new, so her
    // first row is nobody's question and her second one is.
    let school = [(1, [0, 1, 2, 3, 4, 5].as_slice()), (2, &[10, 11])];
    for (learner, times) in school {
        for (course, &at) in (0_u32..).zip(times) {
            rows.push(learner, Interaction::new(course, at)).expect("good");
        }
    }
    let late = [(3, 0, 81), (3, 1, 82)];
    for (learner, course, at) in late {
        rows.push(learner, Interaction::new(course, at)).expect("good");
    }
    let rows = rows.build();
    let settings = Settings::default();
    let asked = |protocol| {
        let report = evaluate(protocol, &catalogue, &rows, &settings, &mut |_| ()).expect("judged");
        (report.questions, report.interactions)
    };
    assert_eq!(asked(Protocol::Rolling), (1, 8));
    assert_eq!(asked(Protocol::FirstReturn), (0, 8));
    assert_eq!(asked(Protocol::LeaveLastOut), (1, 9));
}

#[test]
fn without_a_clock_nothing_is_read_from_the_times() {
    let dir = folder("no-clock", &GOOD);
    let split = Split::read_with(dir, false).expect("reads");
    let report = evaluate_split(&split, Part::Test, &Settings::default(), &mut |_| ()).expect("judged");
    assert!(report.method("recent_short").is_none(), "an engine without ground is left out");
    assert!(report.method("rules").is_some());
}

#[test]
fn a_report_tells_of_completion_where_it_was_measured_and_of_each_part_when_asked() {
    let courses = (0..12).map(|at| Course { key: at.to_string(), ..Course::default() });
    let catalogue = Catalogue::new(vec![], courses.collect()).expect("a good catalogue");
    let rows = |measured: bool| {
        let mut rows = InteractionsBuilder::new(&catalogue);
        for learner in 0_u32..300 {
            for step in 0..4 {
                let course = (learner + step) % 12;
                let at = i64::from(learner) * 7200 + i64::from(step) * 600;
                // Courses with even numbers are completed, the others hardly ever.
                let completion = measured.then_some(if course % 2 == 0 || learner % 9 == 0 { 1.0 } else { 0.1 });
                let row = Interaction { completion, ..Interaction::new(course, at) };
                rows.push(learner.into(), row).expect("a good row");
            }
        }
        rows.build()
    };
    let engines = ["rules", "popularity"].map(EngineSettings::new).to_vec();
    let settings = Settings { engines, tune: false, ..Settings::default() };
    let registry = Registry::standard();
    let judged = |rows: &Interactions, ablation: bool| {
        let trial = Trial { registry: &registry, settings: &settings, ablation };
        trial.evaluate(Protocol::Rolling, &catalogue, rows, &mut |_| ()).expect("judged")
    };
    let report = judged(&rows(true), true);
    let completion = report.completion.as_ref().expect("completion was measured");
    assert!(completion.rows > 100 && completion.auc > 0.8 && !completion.curve.is_empty(), "{completion:?}");
    let parts: Vec<_> = report.ablation.iter().map(|part| &*part.part).collect();
    assert!(parts.contains(&"rules") && parts.contains(&"time crosses"), "{parts:?}");
    assert!(!parts.contains(&"topics"), "there are no topics to leave out: {parts:?}");
    let rules = report.ablation.iter().find(|part| part.part == "rules").expect("listed");
    let whole = report.mix().expect("the mix is judged").ndcg_10;
    assert!((rules.ndcg_10 - rules.difference - whole).abs() < 1e-9, "{rules:?}");
    let text = report.to_string();
    assert!(text.contains("completion: ") && text.contains("time crosses"), "{text}");
    let bare = judged(&rows(false), false);
    assert!(bare.completion.is_none() && bare.ablation.is_empty());
}
