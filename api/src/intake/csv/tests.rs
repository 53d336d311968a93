use std::{fs, path::Path};

use super::*;
use crate::courses::model::Level;

fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.join(file), text).unwrap();
}

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, CsvFolder) {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in files {
        write(dir.path(), file, text);
    }
    let folder = CsvFolder::open(dir.path(), "school").unwrap();
    (dir, folder)
}

/// What is wrong with the file, as `line column: reason`.
fn complaints<T>(rows: Option<Rows<'_, T>>) -> Vec<String> {
    rows.unwrap().filter_map(Result::err).map(|bad| format!("{} {}: {}", bad.line, bad.column, bad.reason)).collect()
}

#[test]
fn the_example_school_in_the_repository_is_read_without_a_complaint() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/school");
    let school = CsvFolder::open(&dir, "school").unwrap();
    let learners: Vec<_> = school.learners().unwrap().unwrap().map(|row| row.unwrap().record).collect();
    let courses: Vec<_> = school.courses().unwrap().unwrap().map(|row| row.unwrap().record).collect();
    let lessons: Vec<_> = school.lessons().unwrap().unwrap().map(|row| row.unwrap().record).collect();
    let activity: Vec<_> = school.activity().unwrap().unwrap().map(|row| row.unwrap().record).collect();
    let posts: Vec<_> = school.posts().unwrap().unwrap().map(|row| row.unwrap().record).collect();

    let person = |key: &String| learners.iter().any(|learner| learner.key == *key);
    assert!(courses.iter().flat_map(|course| &course.staff).all(|(key, _)| person(key)));
    assert!(lessons.iter().all(|lesson| courses.iter().any(|course| course.key == lesson.course)));
    assert!(activity.iter().all(|done| person(&done.learner)));
    assert!(activity.iter().all(|done| lessons.iter().any(|lesson| lesson.key == done.lesson)));
    assert!(posts.iter().all(|post| person(&post.author)));
    assert!(!posts.is_empty());
}

#[test]
fn columns_come_in_any_order_and_unknown_ones_are_ignored() {
    let (_dir, school) = folder(&[(
        "courses.csv",
        "\u{feff}colour,title,key,topics,level,instructors,assistants,published_at,prerequisites\r\n\
         red,\"Soil, \"\"alive\"\"\",soil,Biology|Gardening | Biology,beginner,ana,bo|cy,2025-03-01,\r\n",
    )]);
    let rows: Vec<_> = school.courses().unwrap().unwrap().collect();
    let row = rows[0].as_ref().unwrap();
    assert_eq!(row.line, 2);
    assert_eq!(
        row.record,
        CourseRecord {
            key: "soil".into(),
            title: "Soil, \"alive\"".into(),
            summary: String::new(),
            language: "en".into(),
            level: Some(Level::Beginner),
            topics: vec!["Biology".into(), "Gardening".into()],
            prerequisites: vec![],
            staff: vec![
                ("ana".into(), StaffRole::Instructor),
                ("bo".into(), StaffRole::Assistant),
                ("cy".into(), StaffRole::Assistant)
            ],
            published_at: Timestamp::parse("2025-03-01").unwrap(),
            open_forum: false,
        }
    );
    assert_eq!(rows.len(), 1);
}

#[test]
fn what_is_not_said_has_a_default() {
    let (_dir, school) = folder(&[
        ("activity.csv", "learner,lesson,started_at,completed\nada,l1,2026-01-05 10:00:00,\nada,l2,1767607200,yes\n"),
        ("lessons.csv", "key,course,module,title\nl1,soil,Ground,What soil is\n"),
        ("threads.csv", "key,thread,course,title,author,at,body\np1,t1,soil,Worms,ada,2026-01-05,\"How\r\nmany?\"\n"),
    ]);
    let done: Vec<_> = school.activity().unwrap().unwrap().map(|row| row.unwrap().record).collect();
    assert_eq!(done[0].updated_at, done[0].started_at);
    assert_eq!((done[0].seconds, done[0].progress, done[0].rating), (0, 0.0, None));
    assert_eq!((done[1].started_at, done[1].progress), (done[0].started_at, 1.0));
    let lesson = school.lessons().unwrap().unwrap().next().unwrap().unwrap().record;
    assert_eq!((lesson.kind, lesson.seconds), (LessonKind::Video, None));
    let post = school.posts().unwrap().unwrap().next().unwrap().unwrap().record;
    assert_eq!(
        (post.category.as_str(), post.kind, post.body.as_str()),
        ("General", ThreadKind::Discussion, "How\nmany?")
    );
    assert!(school.learners().unwrap().is_none());
}

#[test]
fn each_bad_row_is_named_with_line_column_and_reason_and_the_others_are_read() {
    let (_dir, school) = folder(&[(
        "activity.csv",
        "learner,lesson,started_at,updated_at,seconds,progress,rating,completed\n\
         ada,l1,2026-01-05,2026-01-04,,,,\n\
         \n\
         ada,\"l\n1\",2026-01-05,,,,,\n\
         ada,l1,yesterday,,,,,\n\
         ada,l1,2026-01-05,,-3,,,\n\
         ada,l1,2026-01-05,,,NaN,,\n\
         ada,l1,2026-01-05,,,1.2,,\n\
         ada,l1,2026-01-05,,,,0,\n\
         ada,l1,2026-01-05,,,,4.5,\n\
         ada,l1,2026-01-05,,,,,perhaps\n\
         ,l1,2026-01-05,,,,,\n\
         ada,l1\n\
         ada,l1,2026-01-05,2026-01-06,60,0.5,5,false\n",
    )]);
    assert!(school.courses().unwrap().is_none());
    assert_eq!(
        complaints(school.activity().unwrap()),
        [
            "2 updated_at: 2026-01-04T00:00:00Z is before started_at, 2026-01-05T00:00:00Z",
            "4 lesson: has several lines; one is possible",
            "6 started_at: \"yesterday\" is not a time: use 2026-11-23T09:30:00Z, 2026-11-23 (UTC) or seconds since 1970",
            "7 seconds: \"-3\" is not a whole number of seconds from 0 to 1000000000",
            "8 progress: \"NaN\" is not a number from 0 to 1",
            "9 progress: \"1.2\" is not a number from 0 to 1",
            "10 rating: \"0\" is not a whole number from 1 to 5",
            "11 rating: \"4.5\" is not a whole number from 1 to 5",
            "12 completed: \"perhaps\" is neither true nor false",
            "13 learner: is empty",
            "14 : has 2 values where the first line names 8 columns",
        ]
    );
    assert_eq!(
        school.activity().unwrap().unwrap().filter_map(Result::ok).map(|row| row.line).collect::<Vec<_>>(),
        [15]
    );
}

#[test]
fn people_courses_and_posts_are_checked_too() {
    let (dir, school) = folder(&[
        (
            "courses.csv",
            "key,title,language,level,prerequisites,instructors,assistants\n\
             c1,One,english language,,,,\n\
             c2,Two,,expert,,,\n\
             c3,Three,de-CH,,c1|c3,,\n\
             c4,Four,,,,ana,ana\n",
        ),
        ("lessons.csv", "key,course,module,title,kind,seconds\nl1,c1,M,T,game,\nl2,c1,M,T,reading,0\nl3,c1,,T,,\n"),
        (
            "threads.csv",
            "key,thread,course,title,author,at,body,reply_to\n\
             p1,t1,c1,Hi,ada,2026-01-05,Hello,p1\np2,t1,c1,Hi,ada,2026-01-05,   ,\n",
        ),
    ]);
    let mut people = b"key,name,email\na,".to_vec();
    people.extend([0xE9, b',', b'\n']);
    people.extend(b"b,Bo,bo at example\nc,C\0,\n");
    people.extend(format!("d,{},\ne,Eve,eve@example.org\nf,\"Fay\n", "x".repeat(201)).bytes());
    write(dir.path(), "learners.csv", people);
    assert_eq!(
        complaints(school.courses().unwrap()),
        [
            "2 language: \"english language\" is not a BCP 47 language tag such as en, pt-BR or zh-Hant",
            "3 level: \"expert\" is none of BEGINNER, INTERMEDIATE, ADVANCED",
            "4 prerequisites: names the course itself",
            "5 assistants: \"ana\" is an instructor already",
        ]
    );
    assert_eq!(
        complaints(school.lessons().unwrap()),
        [
            "2 kind: \"game\" is none of VIDEO, READING, EXERCISE, LINK",
            "3 seconds: is 0: leave it empty where the length is not known",
            "4 module: is empty",
        ]
    );
    assert_eq!(
        complaints(school.learners().unwrap()),
        [
            "2 name: is not UTF-8: save the file in that encoding",
            "3 email: is not an e-mail address such as ada@example.org, at most 254 bytes long",
            "4 name: contains the control character '\\0'",
            "5 name: is 201 characters long; 200 are possible",
            "7 : a quote (\") is opened and not closed: close it, and double each quote inside a value",
        ]
    );
    assert_eq!(complaints(school.posts().unwrap()), ["2 reply_to: names the post itself", "3 body: is empty"]);
}

#[test]
fn a_folder_without_our_files_or_a_file_without_a_needed_column_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let empty = CsvFolder::open(dir.path(), "school").unwrap_err();
    assert!(
        empty
            .to_string()
            .ends_with("none of the files learners.csv, courses.csv, lessons.csv, activity.csv, threads.csv")
    );
    let missing = CsvFolder::open(&dir.path().join("nowhere"), "school").unwrap_err();
    assert!(matches!(missing, SourceError::Unreadable { .. }));

    write(dir.path(), "lessons.csv", "key,course,title\n");
    let school = CsvFolder::open(dir.path(), "school").unwrap();
    let error = school.lessons().err().unwrap();
    assert_eq!(
        error.to_string(),
        "lessons.csv lacks the column \"module\"; its first line must name key, course, module, title"
    );
    write(dir.path(), "lessons.csv", "");
    assert!(matches!(school.lessons().err(), Some(SourceError::MissingColumn { .. })));
}

#[test]
fn the_number_of_rows_is_estimated_for_a_progress_bar() {
    let rows: Vec<String> = (0..20_000).map(|n| format!("l{n},Learner {n}")).collect();
    let (_dir, school) = folder(&[("learners.csv", &format!("key,name\n{}\n", rows.join("\n")))]);
    let estimate = school.expected(Kind::Learners).unwrap();
    assert!((15_000..25_000).contains(&estimate), "{estimate}");
    assert_eq!(school.expected(Kind::Posts), None);
}
