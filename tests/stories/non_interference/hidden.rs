//! What is hidden from whom.

/// From whom it is hidden, what it is, and how it changes in the other school, one after the other.
pub(super) const HIDDEN: &[(&str, &str, &str)] = &[
    // People.
    ("nobody zoe omar ana bo raj", "Mei's e-mail address", "UPDATE accounts SET email = 'm@other.example' WHERE id = {person:mei}"),
    ("nobody zoe omar bo raj", "Ana's e-mail address", "UPDATE accounts SET email = 'a@other.example' WHERE id = {person:ana}"),
    ("nobody zoe raj", "Omar's name", "UPDATE accounts SET name = 'Omar Aziz' WHERE id = {person:omar}"),
    ("nobody zoe omar ana bo raj", "a stranger's name", "UPDATE accounts SET name = 'Eve Stein' WHERE id = {person:eve}"),
    (EVERYBODY, "Mei's goals", "DELETE FROM learning_goals WHERE learner_id = {person:mei}"),
    (
        "nobody zoe omar ana bo raj",
        "that somebody has an account",
        "INSERT INTO accounts (id, name, email, created_at) VALUES ({new:1}, 'Uma Rao', 'uma@school.example', 1)",
    ),
    ("nobody zoe omar ana bo raj", "Mei's roles", "INSERT INTO account_roles (account_id, role, granted_at) VALUES ({person:mei}, 'ANALYST', 1)"),
    ("nobody zoe omar ana bo raj", "Mei's tokens", "UPDATE access_tokens SET label = 'other', expires_at = 1 WHERE account_id = {person:mei}"),
    ("nobody zoe raj", "Mei's picture", "UPDATE accounts SET picture_url = 'https://mei.example/2.png' WHERE id = {person:mei}"),
    (
        EVERYBODY,
        "what Mei says of herself",
        "UPDATE accounts SET education = 'Botanist', time_zone = 'Asia/Tokyo', language = 'ja', goals_at = 5 WHERE id = {person:mei};
         INSERT INTO preferences (account_id, interface_language, playback_speed) VALUES ({person:mei}, 'ja', 150)",
    ),
    (
        "nobody zoe omar ana bo raj",
        "the state of Mei's account",
        "UPDATE accounts SET email_verified_at = 5 WHERE id = {person:mei};
         INSERT INTO credentials (account_id, password_hash, set_at) VALUES ({person:mei}, 'none', 5);
         INSERT INTO second_factors (account_id, sealed_secret, enabled_at, last_step, failures, failing_since)
           SELECT {person:mei}, secret_hash, 5, 0, 0, 0 FROM access_tokens LIMIT 1",
    ),
    (
        "nobody zoe omar ana bo raj noor",
        "where Mei signs in from",
        "INSERT INTO sign_ins (account_id, id, at, method, outcome, client_label, network, suspicious)
           VALUES ({person:mei}, {new:8}, 5, 'PASSWORD', 'SUCCEEDED', 'Firefox on Linux', '203.0.113.0/24', '');
         INSERT INTO sessions (account_id, id, secret_hash, created_at, last_seen_at, expires_at, two_factor, client_label, network)
           SELECT {person:mei}, {new:8}, secret_hash, 5, 5, 2000000000000000, TRUE, 'Firefox on Linux', NULL FROM access_tokens LIMIT 1",
    ),
    (
        "nobody zoe omar ana bo kim raj",
        "that there was a case about Mei",
        "INSERT INTO cases (person_id, id, opened_by, opened_at, reason, ticket, categories, expires_at, approval_needed)
           VALUES ({person:mei}, {new:9}, {person:eve}, 5, 'She lost her course.', 'T-1', 'PROFILE', 6, FALSE)",
    ),
    // What learners do.
    (
        "nobody zoe omar bo kim raj noor",
        "Mei's time in compost",
        "UPDATE enrolments SET seconds = seconds + 700, last_active_at = last_active_at + 86400000000 WHERE learner_id = {person:mei} AND course_id = {course:compost};
         UPDATE lesson_progress SET seconds = seconds + 700, position = position + 9, furthest = furthest + 9, updated_at = updated_at + 1 WHERE learner_id = {person:mei} AND course_id = {course:compost}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "Mei's progress in compost",
        "UPDATE enrolments SET progress_sum = 4000000, completed_at = 1771000000000000, enrolled_at = enrolled_at - 86400000000 WHERE learner_id = {person:mei} AND course_id = {course:compost};
         UPDATE lesson_progress SET progress = 1000000, completed_at = 1771000000000000 WHERE learner_id = {person:mei} AND course_id = {course:compost}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what Mei reported in compost that can't have been",
        "UPDATE enrolments SET capped_seconds = 300, last_beat_at = 1772000000000000 WHERE learner_id = {person:mei} AND course_id = {course:compost};
         INSERT INTO activity_beats (learner_id, id, course_id, lesson_id, session_id, at, client_at, not_before, seconds, position, capped, reason)
           VALUES ({person:mei}, {new:5}, {course:compost}, {lesson:compost-1}, {new:0}, 1772000000000000, NULL, 1771000000000000, 330, 30, 300, 'SINCE_LAST_BEAT')",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what changed for Mei in compost, and of what she has taken notice",
        "UPDATE enrolments SET seen_content = 1 WHERE learner_id = {person:mei} AND course_id = {course:compost};
         INSERT INTO enrolment_changes (learner_id, course_id, version, progress_before, progress_now) VALUES ({person:mei}, {course:compost}, 2, 125000, 100000)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "Mei's score in compost, and which version she saw",
        "UPDATE lesson_progress SET score = 700000, scored_at = 1772000000000000, content_version = 2, position_at = updated_at
         WHERE learner_id = {person:mei} AND course_id = {course:compost}",
    ),
    (
        "nobody zoe omar kim raj noor",
        "when Mei completed soil",
        "UPDATE enrolments SET completed_at = completed_at + 86400000000 WHERE learner_id = {person:mei} AND course_id = {course:soil};
         UPDATE lesson_progress SET completed_at = completed_at + 86400000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}",
    ),
    (
        "nobody omar ana kim raj noor",
        "Zoe's record in sol",
        "UPDATE enrolments SET seconds = seconds + 60, progress_sum = 500000, completed_at = NULL WHERE learner_id = {person:zoe} AND course_id = {course:sol};
         UPDATE lesson_progress SET seconds = seconds + 60, progress = 500000, completed_at = NULL WHERE learner_id = {person:zoe} AND course_id = {course:sol}",
    ),
    (
        "nobody zoe omar ana kim raj noor",
        "Gus's record in sol",
        "UPDATE enrolments SET seconds = seconds + 60, progress_sum = 750000, enrolled_at = enrolled_at + 60000000 WHERE learner_id = {person:gus} AND course_id = {course:sol};
         UPDATE lesson_progress SET seconds = seconds + 60, position = position + 60, progress = 750000 WHERE learner_id = {person:gus} AND course_id = {course:sol}",
    ),
    (EVERYBODY, "how Mei rates a course", "UPDATE enrolments SET rating = 2 WHERE learner_id = {person:mei}"),
    (
        EVERYBODY,
        "Tom's time in a course that he has left",
        "UPDATE enrolments SET seconds = seconds + 3600, last_active_at = 1700000000000000 WHERE learner_id = {person:tom};
         UPDATE lesson_progress SET seconds = seconds + 3600, position = position + 9, updated_at = updated_at + 1 WHERE learner_id = {person:tom}",
    ),
    (
        EVERYBODY,
        "the record of Ida, who left long ago",
        "UPDATE enrolments SET seconds = 1, progress_sum = 3000000, enrolled_at = enrolled_at + 60000000, last_active_at = 1772400000000000, left_at = left_at + 60000000 WHERE learner_id = {person:ida};
         UPDATE lesson_progress SET seconds = 1, progress = 900000 WHERE learner_id = {person:ida}",
    ),
    (
        EVERYBODY,
        "the record of Lin, who completed the course long ago",
        "UPDATE enrolments SET seconds = 1, progress_sum = 3900000, enrolled_at = enrolled_at + 60000000, last_active_at = 1772400000000000, completed_at = completed_at + 60000000 WHERE learner_id = {person:lin};
         UPDATE lesson_progress SET seconds = 1, completed_at = completed_at + 60000000 WHERE learner_id = {person:lin}",
    ),
    (EVERYBODY, "how many of a few completed a course", "UPDATE course_rollups SET completed_count = completed_count + 1"),
    (
        EVERYBODY,
        "what Mei is recommended",
        "INSERT INTO recommendation_lists (learner_id, model_id, history_at, computed_at, items) VALUES ({person:mei}, {new:2}, 1, 1, '[]')",
    ),
    (
        EVERYBODY,
        "what Mei says of courses",
        "INSERT INTO recommendation_feedback (learner_id, course_id, kind, said_at) VALUES ({person:mei}, {course:sol}, 'DISMISS', 5);
         UPDATE accounts SET feedback_at = 5 WHERE id = {person:mei}",
    ),
    (
        EVERYBODY,
        "what Mei agrees to",
        "INSERT INTO consents (learner_id, purpose, granted, decided_at) VALUES ({person:mei}, 'PERSONAL_RECOMMENDATIONS', FALSE, 5)",
    ),
    (
        EVERYBODY,
        "what became of Mei's lists",
        "INSERT INTO offered_lists (learner_id, list_id, model_id, engine, experiment, arm, offered_at, items)
           VALUES ({person:mei}, {new:10}, {new:2}, 'hybrid', 'e', 'a', 5, '[]');
         INSERT INTO recommendation_impressions (learner_id, list_id, course_id, position, model_id, engine, propensity, explored, shown_at)
           VALUES ({person:mei}, {new:10}, {course:sol}, 1, {new:2}, 'hybrid', 1000000, FALSE, 5);
         INSERT INTO recommendation_events (learner_id, list_id, course_id, kind, model_id, engine, at)
           VALUES ({person:mei}, {new:10}, {course:sol}, 'CLICK', {new:2}, 'hybrid', 5)",
    ),
    // Who takes what how, and what is said of it.
    (
        EVERYBODY,
        "who wrote an anonymous review",
        "UPDATE course_reviews SET author_id = {person:ida} WHERE course_id = {course:soil} AND author_id = {person:mei}",
    ),
    (
        "nobody zoe raj",
        "who wrote a review that shows her name",
        "UPDATE course_reviews SET author_id = {person:tom} WHERE course_id = {course:soil} AND author_id = {person:lin}",
    ),
    (
        EVERYBODY,
        "a rating of Mei's that nobody reads",
        "INSERT INTO course_reviews (course_id, id, author_id, rating, body, shows_name, created_at)
           VALUES ({course:compost}, {new:30}, {person:mei}, 2, NULL, TRUE, 1771000000000000)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "Mei's cohort in compost, and when she came back",
        "UPDATE enrolments SET cohort_id = {new:21} WHERE learner_id = {person:mei} AND course_id = {course:compost};
         INSERT INTO enrolment_breaks (learner_id, course_id, id, left_at, came_back_at)
           VALUES ({person:mei}, {course:compost}, {new:31}, 1771000000000000, 1771100000000000)",
    ),
    (
        "nobody zoe omar kim raj noor",
        "the cohorts of soil",
        "UPDATE cohorts SET name = 'Winter', version = 2 WHERE course_id = {course:soil};
         INSERT INTO cohorts (course_id, id, name, created_at) VALUES ({course:soil}, {new:32}, 'Summer', 5)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "who is invited to compost",
        "INSERT INTO invitations (course_id, id, person_id, label, max_uses, created_by, created_at, expires_at)
           VALUES ({course:compost}, {new:33}, {person:eve}, 'For Eve', 1, {person:ana}, 1771000000000000, 2000000000000000)",
    ),
    (
        EVERYBODY,
        "that Mei waits for sol",
        "INSERT INTO waiting_places (learner_id, course_id, ticket, since) VALUES ({person:mei}, {course:sol}, 1, 1771000000000000)",
    ),
    ("nobody zoe omar bo kim raj noor", "how many wait for compost", "UPDATE enrolment_settings SET waiting = 7 WHERE course_id = {course:compost}"),
    (
        EVERYBODY,
        "what Mei wants to find again",
        "INSERT INTO bookmarks (person_id, id, kind, course_id, thing_id, note, created_at)
           VALUES ({person:mei}, {new:34}, 'LESSON', {course:soil}, {lesson:soil-1}, 'Hard', 1771000000000000)",
    ),
    // What is not published.
    (
        "nobody zoe omar bo kim raj noor",
        "what Ana plans",
        "UPDATE courses SET title = 'Another Harvest', title_key = 'another harvest', slug = 'another-harvest', summary = 'Pears.', language = 'de', level = NULL, seconds = 9, published_at = 2 WHERE id = {course:plan}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "the parts of what Ana plans",
        "UPDATE lessons SET title = 'A pear tree', seconds = 77 WHERE course_id = {course:plan};
         UPDATE modules SET title = 'Pears' WHERE course_id = {course:plan};
         INSERT INTO modules (id, course_id, position, title) VALUES ({new:3}, {course:plan}, 7, 'Plums')",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what Ana's plan is about",
        "INSERT INTO topics (id, slug, name) VALUES ({new:4}, 'pomology', 'Pomology');
         INSERT INTO course_topics (course_id, topic_id, position) VALUES ({course:plan}, {new:4}, 5)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "who will help Ana",
        "INSERT INTO course_staff (course_id, account_id, role, position) VALUES ({course:plan}, {person:eve}, 'ASSISTANT', 5)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what is written about the plan",
        "UPDATE posts SET body = 'It is there.' WHERE course_id = {course:plan}; UPDATE threads SET title = 'Done' WHERE course_id = {course:plan}",
    ),
    (
        "nobody zoe omar ana kim raj noor",
        "what Bo plans",
        "UPDATE courses SET title = 'Autre chose', title_key = 'autre chose', search_text = 'soil' WHERE id = {course:idee};
         UPDATE lessons SET title = 'Autre' WHERE course_id = {course:idee};
         INSERT INTO course_prerequisites (course_id, required_course_id) VALUES ({course:compost}, {course:idee})",
    ),
    // What learners are not to see yet, or any more, of a course that is published.
    (
        "nobody zoe omar bo kim raj noor",
        "a draft lesson of compost, and one of its drafts",
        "INSERT INTO lessons (id, course_id, module_id, position, title, kind, seconds, status, content_version, is_preview)
           SELECT {new:11}, course_id, module_id, 0, 'A pear tree', 'READING', 99, 'DRAFT', 0, TRUE FROM lessons WHERE id = {lesson:compost-1};
         INSERT INTO lesson_drafts (lesson_id, title, body, completion, is_preview, updated_at) VALUES ({new:11}, 'A pear tree', 'Pears.', 'VIEW', TRUE, 5);
         UPDATE lessons SET position = position + 3, version = version + 5 WHERE course_id = {course:compost} AND status = 'PUBLISHED';
         UPDATE lesson_drafts SET title = 'Another draft', body = 'Plums.' WHERE lesson_id = {lesson:compost-2}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "a draft module of compost",
        "INSERT INTO modules (id, course_id, position, title, status) VALUES ({new:12}, {course:compost}, 0, 'Pears', 'DRAFT');
         INSERT INTO lessons (id, course_id, module_id, position, title, kind, status) VALUES ({new:13}, {course:compost}, {new:12}, 0, 'Plums', 'READING', 'DRAFT');
         INSERT INTO module_prerequisites (course_id, module_id, required_module_id)
           SELECT course_id, module_id, {new:12} FROM lessons WHERE id = {lesson:compost-1};
         UPDATE modules SET position = position + 3, version = version + 5 WHERE course_id = {course:compost} AND status = 'PUBLISHED';
         UPDATE courses SET version = version + 5 WHERE id = {course:compost}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "a lesson that was retired and that nobody has seen",
        "INSERT INTO lessons (id, course_id, module_id, position, title, kind, seconds, status, content_version)
           SELECT {new:14}, course_id, module_id, 0, 'A plum', 'READING', 99, 'RETIRED', 1 FROM lessons WHERE id = {lesson:compost-1};
         INSERT INTO lesson_versions (lesson_id, version, title, body, completion, published_at) VALUES ({new:14}, 1, 'A plum', 'Plums.', 'VIEW', 5)",
    ),
    (
        "nobody zoe bo kim raj noor",
        "what a lesson of compost says",
        "UPDATE lesson_versions SET body = 'Leaves, too.', url = 'https://video.example/9', transcript = 'Leaves.' WHERE lesson_id = {lesson:compost-2}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what a lesson of compost said before anybody came",
        "UPDATE lesson_versions SET body = 'Sand, too.', title = 'Other heaps', published_at = published_at - 9 WHERE lesson_id = {lesson:compost-2} AND version = 1",
    ),
    (
        EVERYBODY,
        "what Mei is asked to teach",
        "UPDATE accounts SET email_verified_at = 5 WHERE id = {person:mei};
         INSERT INTO staff_invitations (email_hash, course_id, role, invited_by, invited_at)
           SELECT email_hash, {course:sol}, 'ASSISTANT', {person:bo}, 1772000000000000 FROM account_emails WHERE account_id = {person:mei}",
    ),
    // What is said in forums.
    ("nobody", "what is said about compost", "UPDATE posts SET body = 'Sand.' WHERE course_id = {course:compost}; UPDATE threads SET title = 'Too dry' WHERE course_id = {course:compost}"),
    (
        "nobody zoe kim raj noor",
        "what is said about soil",
        "UPDATE posts SET body = 'Worms?' WHERE course_id = {course:soil};
         UPDATE threads SET title = 'Worms?', kind = 'QUESTION', created_at = created_at + 1, post_count = post_count + 1 WHERE course_id = {course:soil};
         UPDATE forum_categories SET name = 'Worms' WHERE course_id = {course:soil};
         INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, body, created_at) VALUES ({course:soil}, {new:5}, {thread:t1}, {person:mei}, {post:p1}, 'No.', 1771000000000000)",
    ),
    (
        "nobody omar ana kim raj noor",
        "what is said about sol",
        "UPDATE posts SET body = 'Oui.', author_id = {person:gus} WHERE course_id = {course:sol};
         UPDATE threads SET title = 'Oui', author_id = {person:gus} WHERE course_id = {course:sol};
         INSERT INTO posts (course_id, id, thread_id, author_id, reply_to, body, created_at) VALUES ({course:sol}, {new:6}, {thread:t3}, {person:gus}, {post:p6}, 'Non.', 1771000000000000)",
    ),
    // What moderators do, and what they are told.
    (
        "nobody zoe omar bo kim raj noor",
        "that a post in soil was reported, and who did",
        "INSERT INTO reported_posts (course_id, id, post_id, author_id, state, reported_at, reporter_count)
           VALUES ({course:soil}, {new:11}, {post:p3}, {person:omar}, 'OPEN', 1772000000000000, 1);
         INSERT INTO reports (course_id, report_id, reporter_id, reason, text, reported_at)
           VALUES ({course:soil}, {new:11}, {person:mei}, 'HARASSMENT', 'Nine!', 1772000000000000)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what was decided on it",
        "UPDATE reported_posts SET state = 'DECIDED', decision = 'DISMISS', decided_by = {person:ana}, decided_at = 1772000000000000, version = 2 WHERE course_id = {course:soil}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what was noted in the log of soil",
        "INSERT INTO moderation_log (course_id, id, at, moderator_id, act, post_id, about_id, reason)
           VALUES ({course:soil}, {new:12}, 1772000000000000, {person:ana}, 'DISMISS_REPORT', {post:p3}, {person:omar}, 'Nine are nine.')",
    ),
    (
        "nobody zoe bo kim raj noor",
        "what Omar was told about his post",
        "UPDATE posts SET warned_at = 1772000000000000, warning = 'Be kind.' WHERE course_id = {course:soil} AND author_id = {person:omar}",
    ),
    (
        "nobody zoe omar kim raj noor",
        "which questions in soil wait for staff",
        "UPDATE threads SET unanswered_since = created_at + 1, unreplied_since = created_at, stuck_at = created_at, other_replies = 7, waiting_since = NULL WHERE course_id = {course:soil}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "who asked anonymously about compost",
        "UPDATE posts SET author_id = {person:eve} WHERE id = {post:p8}; UPDATE threads SET author_id = {person:eve} WHERE id = {thread:t4}",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "who hides from all but the moderators of soil",
        "UPDATE posts SET author_id = {person:mei} WHERE id = {post:p10}; UPDATE threads SET author_id = {person:mei} WHERE id = {thread:t5}",
    ),
    (EVERYBODY, "who voted", "UPDATE post_votes SET voter_id = {person:eve}, voted_at = 9"),
    (EVERYBODY, "which moderator edited a post", "UPDATE post_revisions SET editor_id = {person:eve} WHERE post_id = {post:p2}"),
    (
        "nobody zoe omar bo kim raj noor",
        "what was taken away, and what it was before",
        "UPDATE posts SET body = 'Ha!', removal_reason = 'Shame.' WHERE id = {post:p11};
         UPDATE post_revisions SET body = 'Hm.', reason = 'Anger.', edited_as = 'MODERATOR', edited_at = 8 WHERE post_id = {post:p11};
         INSERT INTO post_revisions (course_id, post_id, id, version, body, edited_at, edited_as, editor_id)
           VALUES ({course:soil}, {post:p11}, {new:43}, 2, 'Ho.', 7, 'AUTHOR', {person:ida})",
    ),
    // What somebody is told, and what she wants to hear.
    (
        EVERYBODY,
        "what Mei is notified of",
        "INSERT INTO notifications (person_id, id, kind, course_id, subject_id, group_id, created_at, updated_at, times)
           VALUES ({person:mei}, {new:151}, 'POST', {course:soil}, {post:p1}, {thread:t1}, 5, 1772000000000000, 3),
             ({person:mei}, {new:152}, 'SEAT_OFFERED', {course:compost}, NULL, NULL, 6, 6, 1)",
    ),
    (
        EVERYBODY,
        "what Mei follows",
        "INSERT INTO thread_follows (course_id, thread_id, person_id, followed_at) VALUES ({course:soil}, {thread:t1}, {person:mei}, 5), ({course:compost}, {thread:t4}, {person:mei}, 5);
         INSERT INTO forum_follows (course_id, person_id, followed_at) VALUES ({course:soil}, {person:mei}, 5)",
    ),
    (
        EVERYBODY,
        "what Mei wants to hear",
        "INSERT INTO notification_preferences (person_id, kind, in_graph, mail) VALUES ({person:mei}, 'POST', FALSE, 'DIGEST_WEEKLY');
         INSERT INTO notification_settings (person_id, by_mail, follow_when_posting) VALUES ({person:mei}, FALSE, FALSE);
         INSERT INTO notification_mutes (person_id, course_id, muted_id, muted_at) VALUES ({person:mei}, {course:soil}, {course:soil}, 5)",
    ),
    (
        EVERYBODY,
        "who is still to be told of a post",
        "INSERT INTO notice_rounds (course_id, subject_id, kind, thread_id, besides, after_id, created_at) VALUES ({course:soil}, {post:p1}, 'POST', {thread:t1}, '[]', {person:mei}, 5)",
    ),
    (
        "nobody zoe omar kim raj noor",
        "what Ana is going to announce, and what she took back",
        "INSERT INTO announcements (course_id, id, author_id, title, body, created_at, publish_at, told_at, retracted_at, version)
           VALUES ({course:soil}, {new:153}, {person:ana}, 'Draft', 'Perhaps.', 5, NULL, NULL, NULL, 1),
             ({course:soil}, {new:154}, {person:ana}, 'Scheduled', 'Later.', 5, 1900000000000000, NULL, NULL, 1),
             ({course:soil}, {new:155}, {person:ana}, 'Retracted', 'No.', 5, 6, 6, 7, 2)",
    ),
    (
        "nobody zoe kim raj noor",
        "what is announced in soil",
        "INSERT INTO announcements (course_id, id, author_id, title, body, created_at, publish_at, told_at, version)
           VALUES ({course:soil}, {new:156}, {person:ana}, 'Rain', 'Tomorrow.', 5, 6, 6, 1)",
    ),
    (
        EVERYBODY,
        "what Mei has read in forums",
        "INSERT INTO thread_reads (learner_id, course_id, thread_id, read_at, post_id)
           SELECT {person:mei}, course_id, thread_id, created_at, id FROM posts WHERE id IN ({post:p3}, {post:p5}, {post:p9});
         INSERT INTO forum_reads (learner_id, course_id, read_at) VALUES ({person:mei}, {course:soil}, 1771000000000000)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "what Mei and Ana write to each other",
        "INSERT INTO conversations (course_id, id, learner_id, subject, created_at, last_message_at)
           VALUES ({course:soil}, {new:20}, {person:mei}, 'My worms', 1771000000000000, 1771000000000001);
         INSERT INTO conversation_members (course_id, conversation_id, account_id, part, joined_at, sees_from)
           VALUES ({course:soil}, {new:20}, {person:mei}, 'LEARNER', 1771000000000000, 1771000000000000),
             ({course:soil}, {new:20}, {person:ana}, 'STAFF', 1771000000000000, 1771000000000000);
         INSERT INTO messages (course_id, id, conversation_id, author_id, created_at)
           VALUES ({course:soil}, {new:21}, {new:20}, {person:mei}, 1771000000000000), ({course:soil}, {new:22}, {new:20}, {person:ana}, 1771000000000001);
         INSERT INTO message_bodies (course_id, message_id, body) VALUES ({course:soil}, {new:21}, 'Too many worms.'), ({course:soil}, {new:22}, 'How many?');
         INSERT INTO inboxes (person_id, course_id, conversation_id, part, last_message_at, read_at, read_id)
           VALUES ({person:mei}, {course:soil}, {new:20}, 'LEARNER', 1771000000000001, 0, {new:20}),
             ({person:ana}, {course:soil}, {new:20}, 'STAFF', 1771000000000001, 0, {new:20});
         INSERT INTO message_quotas (person_id, since, sent) VALUES ({person:mei}, 1771000000000000, 1)",
    ),
    (
        "nobody zoe omar ana kim raj noor",
        "what Gus writes to Bo, and to Ana, who is not of the staff any more",
        "INSERT INTO conversations (course_id, id, learner_id, subject, created_at, last_message_at)
           VALUES ({course:sol}, {new:30}, {person:gus}, 'Des vers', 1771000000000000, 1771000000000001);
         INSERT INTO conversation_members (course_id, conversation_id, account_id, part, joined_at, sees_from)
           VALUES ({course:sol}, {new:30}, {person:gus}, 'LEARNER', 1771000000000000, 1771000000000000),
             ({course:sol}, {new:30}, {person:bo}, 'STAFF', 1771000000000000, 1771000000000000),
             ({course:sol}, {new:30}, {person:ana}, 'STAFF', 1771000000000000, 1771000000000000);
         INSERT INTO messages (course_id, id, conversation_id, author_id, created_at) VALUES ({course:sol}, {new:31}, {new:30}, {person:gus}, 1771000000000001);
         INSERT INTO message_bodies (course_id, message_id, body) VALUES ({course:sol}, {new:31}, 'Combien de vers?');
         INSERT INTO inboxes (person_id, course_id, conversation_id, part, last_message_at, read_at, read_id)
           VALUES ({person:ana}, {course:sol}, {new:30}, 'STAFF', 1771000000000001, 0, {new:30})",
    ),
    (
        "nobody zoe kim raj noor",
        "what was removed and what was answered in the forum of soil",
        "UPDATE posts SET removed_at = 1772000000000000, removed_as = 'MODERATOR' WHERE id = {post:p2};
         UPDATE threads SET answer_id = {post:p3}, last_post_at = last_post_at + 1 WHERE id = {thread:t1}",
    ),
    // Who takes what, last: it takes the rest along.
    ("nobody omar ana kim raj noor", "that Gus leaves sol", "UPDATE enrolments SET left_at = 1772000000000000 WHERE learner_id = {person:gus} AND course_id = {course:sol}"),
    (
        "nobody omar ana kim raj noor",
        "that Mei takes sol",
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum) VALUES ({person:mei}, {course:sol}, 1772000000000000, 1772000000000000, 5, 5)",
    ),
    (
        "nobody zoe bo kim raj noor",
        "that a stranger takes compost",
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum) VALUES ({person:eve}, {course:compost}, 1772000000000000, 1772000000000000, 5, 5)",
    ),
    (
        "nobody omar bo kim raj noor",
        "that a stranger tries what Ana plans",
        "INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum) VALUES ({person:eve}, {course:plan}, 1772000000000000, 1772000000000000, 5, 5)",
    ),
    (
        "nobody zoe omar bo kim raj noor",
        "that Mei takes compost",
        "DELETE FROM lesson_progress WHERE learner_id = {person:mei} AND course_id = {course:compost};
         DELETE FROM enrolments WHERE learner_id = {person:mei} AND course_id = {course:compost}",
    ),
    (EVERYBODY, "that Ida ever took soil", "DELETE FROM lesson_progress WHERE learner_id = {person:ida}; DELETE FROM enrolments WHERE learner_id = {person:ida}"),
];

const EVERYBODY: &str = "nobody zoe omar ana bo kim raj noor";
