//! Bringing a school in.

use std::fs;

use stoa_testkit::{School, story};

/// Copies the school's files, with one of them changed.
fn school_with(file: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(School::fixture()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    fs::write(folder.path().join(file), text).unwrap();
    folder
}

const EVERYTHING: &str = "{ me { name goals { name } enrolments(first: 9) { nodes { enrolledAt lastActiveAt completedAt seconds progress
        course { slug title learnerCount rating { count } modules { title lessons { id title } }
            forum { categories { name } threads(first: 9) { nodes { title postCount posts(first: 9) { nodes { body createdAt } } } } } } } } } }";

story! {
    async fn importing_the_same_files_twice_changes_nothing(school) {
        let mei = school.person("mei").await;
        let before = mei.data(EVERYTHING).await;
        let report = school.import(&School::fixture()).await;
        assert!(report.complete(), "{report}");
        assert_eq!(mei.data(EVERYTHING).await, before);
    }

    async fn what_learners_did_since_is_not_lost_by_importing_again(school) {
        let omar = school.person("omar").await;
        let record = format!(
            "mutation {{ recordActivity(lessonId: \"{}\", input: {{ seconds: 100, completed: true }}) {{ enrolment {{ progress seconds }} }} }}",
            school.lesson("soil-2")
        );
        let after = omar.data(&record).await["recordActivity"]["enrolment"].clone();
        school.import(&School::fixture()).await;
        let data = omar.data("{ course(slug: \"living-soil\") { myEnrolment { progress seconds } } }").await;
        assert_eq!(data["course"]["myEnrolment"], after);
    }

    async fn a_file_with_bad_rows_is_refused_as_a_whole_and_each_is_named(school) {
        let omar = school.person("omar").await;
        let before = omar.data(EVERYTHING).await;
        let folder = school_with(
            "activity.csv",
            "learner,lesson,started_at,seconds,progress\n\
             omar,soil-2,2026-02-10T08:00:00Z,300,1\n\
             omar,soil-3,2026-02-11T08:00:00Z,-3,1\n\
             nemo,soil-1,2026-02-11T08:00:00Z,3,1\n\
             omar,soil-9,yesterday,3,1\n\
             omar,soil-9,2026-02-11T08:00:00Z,3,1\n",
        );
        let report = school.import(folder.path()).await;
        assert!(!report.complete());
        let activity = report.files.iter().find(|file| file.file.ends_with("activity.csv")).unwrap();
        let bad: Vec<_> = activity.bad_rows.iter().map(|row| (row.line, row.column)).collect();
        assert_eq!(bad, [(3, "seconds"), (5, "started_at"), (4, "learner"), (6, "lesson")]);
        assert_eq!(report.left.len(), 1, "threads.csv was not read");
        let text = report.to_string();
        assert!(text.contains("line 4, column learner: there is no learner with the key \"nemo\""), "{text}");
        assert_eq!(omar.data(EVERYTHING).await, before, "not even the good row was taken");
    }

    async fn courses_that_require_each_other_are_refused(school) {
        let folder = school_with(
            "courses.csv",
            "key,title,prerequisites\nsoil,Living Soil,compost\ncompost,Compost,soil\nsol,Sol,\n",
        );
        let report = school.import(folder.path()).await;
        let text = report.to_string();
        assert!(text.contains("courses require each other: compost → soil → compost"), "{text}");
    }

    async fn an_import_that_was_broken_off_is_known_and_can_be_taken_up_again(school) {
        use stoa_api::intake::{Intake, campus::{CAMPUS_UNTIL, Campus, CampusSize}, csv::CsvFolder, records::Kind};
        let app = &school.app;
        let intake = Intake::new(app.db.clone(), app.clock.clone(), app.accounts.clone());
        let whole = CsvFolder::open(&School::fixture(), stoa_testkit::SCHOOL).unwrap();
        assert!(!intake.was_begun(&whole).await.unwrap(), "the school was taken to its end");
        let campus = Campus::new(CampusSize { learners: 50, courses: 5, seed: 1, until: CAMPUS_UNTIL });
        let lessons = tokio::sync::Notify::new();
        let mut tell = |kind, _, _| {
            if kind == Kind::Lessons {
                lessons.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = lessons.notified() => {} // Dropped in the middle, as when the process ends.
            report = intake.take(&campus, &mut tell) => panic!("it was not broken off: {report:?}"),
        }
        assert!(intake.was_begun(&campus).await.unwrap());
        let report = intake.take(&campus, &mut |_, _, _| {}).await.unwrap();
        assert!(report.complete(), "{report}");
        assert!(!intake.was_begun(&campus).await.unwrap());
        let posts = app.accounts.find_by_email("ada@campus.example").await.unwrap();
        assert!(posts.is_some());
    }

    async fn a_lesson_stays_in_its_course_and_an_answer_in_its_thread(school) {
        let folder = school_with("lessons.csv", "key,course,module,title\nsoil-1,sol,m,A handful of soil\n");
        let report = school.import(folder.path()).await;
        assert!(report.to_string().contains("line 2, column course: this lesson belongs to another course already"), "{report}");
        let folder = school_with(
            "threads.csv",
            "key,thread,course,title,author,at,body,reply_to\n\
             p1,t1,soil,Worms,omar,2026-02-03T08:00:00Z,Two,\n\
             p9,t9,soil,Sand,omar,2026-02-03T08:00:00Z,Grains,p1\n",
        );
        let report = school.import(folder.path()).await;
        assert!(report.to_string().contains("line 3, column reply_to"), "{report}");
    }

    async fn what_a_file_does_not_say_stays_as_it_is(school) {
        let mei = school.person("mei").await;
        let before = mei.data("{ me { name email goals { name } } course(slug: \"living-soil\") { staff { role } topics { slug } } }").await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("learners.csv"), "key,name\nmei,Mei Tanaka\n").unwrap();
        fs::write(folder.path().join("courses.csv"), "key,title\nsoil,Living Soil\n").unwrap();
        let report = school.import(folder.path()).await;
        assert!(report.complete(), "{report}");
        let after = mei.data("{ me { name email goals { name } } course(slug: \"living-soil\") { staff { role } topics { slug } } }").await;
        assert_eq!(after, before);
        assert!(school.app.accounts.find_by_email("mei@school.example").await.unwrap().is_some());
    }

    async fn nearly_to_the_end_is_not_the_end(school) {
        let folder = school_with("activity.csv", "learner,lesson,started_at,seconds,progress\nzoe,sol-1,2026-02-20T08:00:00Z,449,0.9999\n");
        assert!(school.import(folder.path()).await.complete());
        // Zoe had completed it; Omar takes the course and comes nearly to the end.
        let folder = school_with("activity.csv", "learner,lesson,started_at,seconds,progress\nomar,sol-1,2026-02-20T08:00:00Z,449,0.9999\n");
        assert!(school.import(folder.path()).await.complete());
        let omar = school.person("omar").await;
        let record = format!(
            "mutation {{ recordActivity(lessonId: \"{}\", input: {{ seconds: 5 }}) {{ enrolment {{ completedAt progress }} }} }}",
            school.lesson("sol-1")
        );
        let enrolment = &omar.data(&record).await["recordActivity"]["enrolment"];
        assert_eq!(enrolment["completedAt"], serde_json::Value::Null, "{enrolment}");
    }

    async fn two_people_can_not_have_one_address(school) {
        let folder = school_with("learners.csv", "key,name,email\nnia,Nia,Mei@School.example\n");
        let report = school.import(folder.path()).await;
        assert_eq!((report.files[0].bad, report.files[0].bad_rows[0].column), (1, "email"), "{report}");
    }
}
