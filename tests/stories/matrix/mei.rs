//! What there is of Mei beside what the school's files say.

/// Something for every field, so that who may see it finds it.
pub(super) const MEI: &str = "UPDATE accounts SET picture_url = 'https://mei.example/me.png', education = 'Gardener', time_zone = 'Asia/Tokyo',
               language = 'ja', email_verified_at = 5 WHERE id = {person:mei};
             INSERT INTO lesson_versions (lesson_id, version, title, seconds, body, url, transcript, completion, completion_share, published_at)
               VALUES ({lesson:soil-1}, 1, 'A handful of soil', 420, 'Look.', 'https://video.example/1', 'Look at it.', 'TIME', 800000, 5);
             INSERT INTO lesson_drafts (lesson_id, title, seconds, body, url, transcript, completion, completion_share, is_preview, updated_at)
               VALUES ({lesson:soil-1}, 'Two handfuls', 420, 'Look.', 'https://video.example/2', 'Look at it.', 'TIME', 800000, FALSE, 5);
             UPDATE lessons SET completion = 'TIME', completion_share = 800000;
             INSERT INTO staff_invitations (email_hash, course_id, role, invited_by, invited_at)
               SELECT email_hash, {course:sol}, 'ASSISTANT', {person:bo}, 1772000000000000 FROM account_emails WHERE account_id = {person:mei};
             UPDATE courses SET content_version = 2 WHERE id = {course:soil};
             INSERT INTO course_contents (course_id, version, published_at, lesson_count, added, removed)
               VALUES ({course:soil}, 2, 1768435200000000, 4, '[]', '[]');
             INSERT INTO activity_beats (learner_id, id, course_id, lesson_id, session_id, at, client_at, not_before, seconds, position, capped, reason)
               VALUES ({person:mei}, {new:5}, {course:soil}, {lesson:soil-1}, {new:0}, 1768435200000000, NULL, 1768000000000000, 330, 30, 300, 'SINCE_LAST_BEAT');
             UPDATE lesson_progress SET score = 700000, scored_at = 1768435200000000 WHERE learner_id = {person:mei};
             INSERT INTO announcements (course_id, id, author_id, title, body, created_at, publish_at, told_at, version)
               VALUES ({course:soil}, {new:20}, {person:ana}, 'Rain', 'It rains.', 5, 5, 5, 1),
                 ({course:soil}, {new:21}, {person:ana}, 'Snow', 'It will snow.', 6, NULL, NULL, 1);
             INSERT INTO notifications (person_id, id, kind, course_id, subject_id, created_at, updated_at)
               VALUES ({person:mei}, {new:20}, 'ANNOUNCEMENT', {course:soil}, {new:20}, 5, 5);
             INSERT INTO notification_mutes (person_id, course_id, muted_id, muted_at)
               VALUES ({person:mei}, {course:soil}, {thread:t2}, 5);
             UPDATE posts SET warned_at = 5, warning = 'Say more.' WHERE id = {post:p5};
             INSERT INTO thread_titles (course_id, thread_id, id, title, until, renamed_as) VALUES
               ({course:soil}, {thread:t2}, {new:1}, 'Hello', 5, 'AUTHOR'), ({course:soil}, {thread:t1}, {new:1}, 'Worms', 5, 'AUTHOR');
             UPDATE threads SET pinned_at = 5 WHERE id = {thread:t2};
             INSERT INTO reported_posts (course_id, id, post_id, author_id, state, reported_at, reporter_count, decision, decided_by, decided_at)
               VALUES ({course:soil}, {new:2}, {post:p5}, {person:mei}, 'DECIDED', 5, 2, 'WARN', {person:ana}, 6);
             INSERT INTO reported_posts (course_id, id, post_id, author_id, state, reported_at, reporter_count)
               VALUES ({course:soil}, {new:4}, {post:p4}, {person:mei}, 'OPEN', 5, 1);
             INSERT INTO reports (course_id, report_id, reporter_id, reason, text, reported_at)
               VALUES ({course:soil}, {new:2}, {person:ana}, 'OTHER', 'Where?', 5);
             INSERT INTO moderation_log (course_id, id, at, moderator_id, act, thread_id, about_id)
               VALUES ({course:soil}, {new:3}, 5, {person:ana}, 'PIN_THREAD', {thread:t2}, {person:ana});
             UPDATE course_rollups SET learner_count = 40, completed_count = 20, rating_count = 9, rating_sum = 40;
             UPDATE threads SET author_id = {person:mei}, anonymity = 'CLASSMATES', answer_id = {post:p5} WHERE id = {thread:t2};
             UPDATE posts SET author_id = {person:mei}, anonymity = 'CLASSMATES', alias = 1 WHERE thread_id = {thread:t2};
             INSERT INTO post_revisions (course_id, post_id, id, version, body, edited_at, edited_as, editor_id, reason)
               VALUES ({course:soil}, {post:p5}, {new:40}, 1, 'In a pot.', 5, 'AUTHOR', {person:mei}, 'There are two.');
             INSERT INTO cohorts (course_id, id, name, created_at) VALUES ({course:soil}, {new:1}, 'Spring', 5);
             UPDATE enrolments SET cohort_id = {new:1} WHERE learner_id = {person:mei} AND course_id = {course:soil};
             INSERT INTO invitations (course_id, id, person_id, label, cohort_id, max_uses, created_by, created_at, expires_at)
               VALUES ({course:soil}, {new:2}, {person:zoe}, 'For Zoe', {new:1}, 1, {person:ana}, 5, 2000000000000000);
             INSERT INTO waiting_places (learner_id, course_id, ticket, since) VALUES ({person:mei}, {course:sol}, 1, 5);
             INSERT INTO course_reviews (course_id, id, author_id, rating, body, shows_name, created_at)
               VALUES ({course:soil}, {new:3}, {person:mei}, 5, 'Dig in.', TRUE, 5);
             INSERT INTO bookmarks (person_id, id, kind, course_id, thing_id, note, created_at)
               VALUES ({person:mei}, {new:4}, 'COURSE', {course:sol}, {course:sol}, 'In spring', 5);
             INSERT INTO conversations (course_id, id, learner_id, subject, created_at, last_message_at)
               VALUES ({course:soil}, {new:20}, {person:mei}, 'My worms', 5, 5);
             INSERT INTO conversation_members (course_id, conversation_id, account_id, part, joined_at, sees_from)
               VALUES ({course:soil}, {new:20}, {person:mei}, 'LEARNER', 5, 5), ({course:soil}, {new:20}, {person:ana}, 'STAFF', 5, 5);
             INSERT INTO messages (course_id, id, conversation_id, author_id, created_at) VALUES ({course:soil}, {new:21}, {new:20}, {person:mei}, 5);
             INSERT INTO message_bodies (course_id, message_id, body) VALUES ({course:soil}, {new:21}, 'Too many.');
             INSERT INTO inboxes (person_id, course_id, conversation_id, part, last_message_at, read_at, read_id)
               VALUES ({person:mei}, {course:soil}, {new:20}, 'LEARNER', 5, 0, {new:20}), ({person:ana}, {course:soil}, {new:20}, 'STAFF', 5, 0, {new:20})";
