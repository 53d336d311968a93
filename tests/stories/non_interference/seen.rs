//! What is to be noticed.

/// What somebody may see, in which field it shows, and how it changes: she must notice, or the questions are too few.
pub(super) const SEEN: &[(&str, &str, &str, &str)] = &[
    ("nobody", "Bo's name", "Person.name", "UPDATE accounts SET name = 'Bo Berg' WHERE id = {person:bo}"),
    (
        "zoe",
        "what is said about compost",
        "Post.body",
        "UPDATE posts SET body = 'Sand.' WHERE course_id = {course:compost}",
    ),
    (
        "zoe",
        "where she left off",
        "LeftOff.position",
        "UPDATE lesson_progress SET position = position + 9 WHERE learner_id = {person:zoe}",
    ),
    (
        "ana",
        "that a post was reported",
        "Report.reporterCount",
        "INSERT INTO reported_posts (course_id, id, post_id, author_id, state, reported_at, reporter_count)
           VALUES ({course:soil}, {new:11}, {post:p3}, {person:omar}, 'OPEN', 1772000000000000, 7)",
    ),
    (
        "ana",
        "what was noted in the log",
        "ModerationEntry.act",
        "INSERT INTO moderation_log (course_id, id, at, moderator_id, act, about_id)
           VALUES ({course:soil}, {new:12}, 1772000000000000, {person:ana}, 'PIN_THREAD', {person:ana})",
    ),
    ("omar", "Mei's name", "Person.name", "UPDATE accounts SET name = 'Mei Sato' WHERE id = {person:mei}"),
    (
        "omar",
        "what is found about soil",
        "ForumHit.snippet",
        "UPDATE posts SET body = 'Of soil and worms.' WHERE course_id = {course:soil}",
    ),
    (
        "omar",
        "what he has read of soil",
        "Thread.unreadCount",
        "INSERT INTO forum_reads (learner_id, course_id, read_at) VALUES ({person:omar}, {course:soil}, 1772000000000000)",
    ),
    (
        "ana",
        "what Mei writes to her",
        "Message.body",
        "INSERT INTO conversations (course_id, id, learner_id, subject, created_at, last_message_at)
           VALUES ({course:soil}, {new:20}, {person:mei}, 'My worms', 1771000000000000, 1771000000000001);
         INSERT INTO conversation_members (course_id, conversation_id, account_id, part, joined_at, sees_from)
           VALUES ({course:soil}, {new:20}, {person:ana}, 'STAFF', 1771000000000000, 1771000000000000);
         INSERT INTO messages (course_id, id, conversation_id, author_id, created_at) VALUES ({course:soil}, {new:21}, {new:20}, {person:mei}, 1771000000000000);
         INSERT INTO message_bodies (course_id, message_id, body) VALUES ({course:soil}, {new:21}, 'Too many worms.')",
    ),
    (
        "omar",
        "what is said about soil",
        "Post.body",
        "UPDATE posts SET body = 'Worms?' WHERE course_id = {course:soil}",
    ),
    (
        "omar",
        "what is announced",
        "Announcement.title",
        "INSERT INTO announcements (course_id, id, author_id, title, body, created_at, publish_at, told_at, version)
           VALUES ({course:soil}, {new:156}, {person:ana}, 'Rain', 'Tomorrow.', 5, 6, 6, 1)",
    ),
    (
        "omar",
        "what he is notified of",
        "Notification.count",
        "INSERT INTO notifications (person_id, id, kind, course_id, created_at, updated_at, times) VALUES ({person:omar}, {new:157}, 'SEAT_OFFERED', {course:compost}, 6, 6, 4)",
    ),
    (
        "ana",
        "who asked anonymously about compost",
        "Post.author",
        "UPDATE posts SET author_id = {person:omar} WHERE id = {post:p8}",
    ),
    ("ana", "what was taken away", "Post.body", "UPDATE posts SET body = 'Ha!' WHERE id = {post:p11}"),
    (
        "omar",
        "what a post said before",
        "PostRevision.body",
        "UPDATE post_revisions SET body = 'Hm.' WHERE post_id = {post:p2}",
    ),
    (
        "ana",
        "Mei's time in soil",
        "Enrolment.seconds",
        "UPDATE enrolments SET seconds = 1 WHERE learner_id = {person:mei} AND course_id = {course:soil}",
    ),
    (
        "ana",
        "Mei's score",
        "LessonProgress.score",
        "UPDATE lesson_progress SET score = 700000 WHERE learner_id = {person:mei} AND course_id = {course:soil}",
    ),
    (
        "ana",
        "Tom's progress",
        "LessonProgress.progress",
        "UPDATE lesson_progress SET progress = 1 WHERE learner_id = {person:tom}",
    ),
    (
        "ana",
        "what she plans",
        "Lesson.title",
        "UPDATE lessons SET title = 'A pear tree' WHERE course_id = {course:plan}",
    ),
    (
        "bo",
        "where Gus left off in sol",
        "LessonProgress.position",
        "UPDATE lesson_progress SET position = 17 WHERE learner_id = {person:gus} AND course_id = {course:sol}",
    ),
    (
        "kim",
        "Mei's e-mail address",
        "Person.email",
        "UPDATE accounts SET email = 'm@other.example' WHERE id = {person:mei}",
    ),
    (
        "raj",
        "how many completed a large course",
        "CourseStatistics.completed",
        "UPDATE course_rollups SET learner_count = 90, completed_count = completed_count + 40",
    ),
    ("nobody", "what is said of soil", "Review.body", "UPDATE course_reviews SET body = 'Sand.'"),
    (
        "ana",
        "Mei's cohort in soil",
        "Cohort.name",
        "UPDATE enrolments SET cohort_id = {new:22} WHERE learner_id = {person:mei} AND course_id = {course:soil}",
    ),
    ("bo", "how many wait for sol", "EnrolmentSettings.waiting", "UPDATE enrolment_settings SET waiting = 3"),
    (
        "zoe",
        "what she wants to find again",
        "Bookmark.note",
        "INSERT INTO bookmarks (person_id, id, kind, course_id, thing_id, note, created_at)
           VALUES ({person:zoe}, {new:35}, 'COURSE', {course:sol}, {course:sol}, 'Encore', 5)",
    ),
    (
        "omar",
        "what a lesson of compost says",
        "LessonContent.text",
        "UPDATE lesson_versions SET body = 'In the wood.' WHERE lesson_id = {lesson:compost-2} AND version = 2",
    ),
    (
        "ana",
        "a draft of hers",
        "LessonDraft.title",
        "UPDATE lesson_drafts SET title = 'Not yet' WHERE lesson_id = {lesson:compost-2}",
    ),
    ("noor", "a stranger's name", "Person.name", "UPDATE accounts SET name = 'Eve Stein' WHERE id = {person:eve}"),
];
