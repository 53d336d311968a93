use std::fs;

use super::*;

/// A tiny site in the published layout, and the English or French side of it.
fn site(language: MarsLanguage) -> (tempfile::TempDir, Mars) {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        (
            "items_en.csv",
            "item_id,language,name,nb_views,description,created_at,Difficulty,Job,Software,Theme,duration,type\n\
             7,en,\"Tables, charts\",12.0,\"<p>Learn to \"\"chart\"\"</p>\",2019,Beginner,\"['Marketing']\",['Excel'],\"['Produce', 'Excel']\",60.0,tutorial\n\
             8,en,Mail,N/A,N/A,2020,N/A,[],[],[],0.0,webcast\n",
        ),
        ("users_en.csv", "user_id,job\n1,N/A\n2,accounting\n"),
        ("implicit_ratings_en.csv", "item_id,user_id,created_at\n7,1,2019-05-01 10:00:00\n9,3,2019-05-02 10:00:00\n"),
        (
            "explicit_ratings_en.csv",
            "user_id,item_id,watch_percentage,created_at,rating\n1,7,50,2019-05-01 10:02:00,5\n2,7,101,2019-05-01 10:02:00,10\n",
        ),
        ("users_fr.csv", "user_id,job\n5,N/A\n"),
        (
            "explicit_ratings_fr.csv",
            "user_id,item_id,watch_percentage,created_at,rating\n5,3,100,2020-01-09 10:48:06,10\n5,4,6,2020-01-08 10:48:06,1\n",
        ),
    ];
    for (file, text) in files {
        fs::write(dir.path().join(file), text).unwrap();
    }
    let mars = Mars::open(dir.path(), language).unwrap();
    (dir, mars)
}

fn records<T>(rows: Option<Rows<'_, T>>) -> Vec<T> {
    rows.unwrap().filter_map(Result::ok).map(|row| row.record).collect()
}

#[test]
fn an_item_is_a_course_with_one_lesson() {
    let (_dir, mars) = site(MarsLanguage::English);
    assert_eq!(mars.name(), "mars-en");
    let courses = records(mars.courses().unwrap());
    assert_eq!(
        courses[0],
        CourseRecord {
            key: "7".into(),
            title: "Tables, charts".into(),
            summary: "Learn to \"chart\"".into(),
            language: "en".into(),
            level: Some(Level::Beginner),
            topics: vec!["Excel".into(), "Produce".into()],
            prerequisites: vec![],
            staff: vec![],
            published_at: Timestamp::parse("2019-01-01").unwrap(),
            open_forum: false,
        }
    );
    assert_eq!((courses[1].summary.as_str(), courses[1].level), ("", None));
    let lessons = records(mars.lessons().unwrap());
    assert_eq!((lessons[0].key.as_str(), lessons[0].course.as_str(), lessons[0].seconds), ("7", "7", Some(60)));
    assert_eq!(lessons[1].seconds, None);
    assert!(mars.posts().unwrap().is_none());
}

#[test]
fn who_and_what_only_the_events_know_comes_last() {
    let (_dir, mars) = site(MarsLanguage::English);
    let names: Vec<_> = records(mars.learners().unwrap()).into_iter().map(|learner| learner.name).collect();
    assert_eq!(names, ["Learner 1", "Learner 2", "Learner 3"]);
    let titles: Vec<_> = records(mars.courses().unwrap()).into_iter().map(|course| course.title).collect();
    assert_eq!(titles, ["Tables, charts", "Mail", "Item 9"]);
}

#[test]
fn a_page_view_claims_no_progress_and_a_completion_its_share_of_the_length() {
    let (_dir, mars) = site(MarsLanguage::English);
    let done = records(mars.activity().unwrap());
    let short: Vec<_> = done.iter().map(|a| (a.learner.as_str(), a.lesson.as_str(), a.progress, a.seconds)).collect();
    assert_eq!(short, [("1", "7", 0.0, 0), ("3", "9", 0.0, 0), ("1", "7", 0.5, 30)]);
    assert_eq!(done[2].started_at, Timestamp::parse("2019-05-01T10:02:00Z").unwrap());
    assert!(done.iter().all(|done| done.rating.is_none()));

    let bad: Vec<_> = mars.activity().unwrap().unwrap().filter_map(Result::err).collect();
    let reason = "\"101\" is not a number from 0 to 100 (in explicit_ratings_en.csv)";
    assert_eq!(bad, [BadRow::new(3, "watch_percentage", reason)]);
}

#[test]
fn french_has_no_catalogue_so_items_come_from_the_completions() {
    let (_dir, mars) = site(MarsLanguage::French);
    let courses = records(mars.courses().unwrap());
    let short: Vec<_> = courses.iter().map(|course| (course.title.as_str(), course.language.as_str())).collect();
    assert_eq!(short, [("Item 3", "fr"), ("Item 4", "fr")]);
    let log_begins = Timestamp::parse("2020-01-08T10:48:06Z").unwrap();
    assert!(courses.iter().all(|course| course.published_at == log_begins && course.topics.is_empty()));
    let done = records(mars.activity().unwrap());
    assert_eq!((done[0].progress, done[0].seconds), (1.0, 0));
}

#[test]
fn a_folder_without_the_files_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Mars::open(dir.path(), MarsLanguage::French), Err(SourceError::Empty { .. })));
}
