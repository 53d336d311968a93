//! What people are told by mail.

use poem::{Request, http::Method};
use serde_json::json;
use stoa_testkit::{Answer, Client, Postbox, School, story};

use crate::notifications::{counted, follow, found, post, prefer};

/// Mei's address is verified, and she lives in Tokyo, nine hours ahead: it is 18:00 there.
async fn reachable(school: &School) {
    school.execute("UPDATE accounts SET email_verified_at = 5, time_zone = 'Asia/Tokyo' WHERE id = {person:mei}").await;
}

/// Omar answers Mei.
async fn reply(school: &School, body: &str) -> String {
    post(&school.person("omar").await, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), body).await
}

/// Makes the digests that are due, and sends them. Answers with how many were made.
async fn morning(school: &School, postbox: &Postbox) -> usize {
    let made = school.app.notifications.make_digests(&school.app.outbox).await.unwrap();
    postbox.send().await;
    made
}

async fn unsubscribe(client: &Client, method: Method, token: &str) -> Answer {
    let request = Request::builder().method(method).uri_str(format!("/mail/unsubscribe?token={token}"));
    let request = request.content_type("application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
    client.send(request).await
}

story! {
    async fn mei_gets_one_mail_in_her_morning_from_two_servers_at_once(school) {
        reachable(&school).await;
        reply(&school, "A secret of the garden.").await;
        school.clock.advance(60);
        reply(&school, "And one more.").await;
        let (one, other) = (Postbox::new(&school.app), Postbox::new(&school.app));
        // 2026-03-02T21:59:59Z is a second before seven in Tokyo.
        school.clock.advance(13 * 3_600 - 61);
        assert_eq!(morning(&school, &one).await, 0);
        school.clock.advance(1);
        let notifications = &school.app.notifications;
        let (first, second) = tokio::join!(notifications.make_digests(&school.app.outbox), notifications.make_digests(&school.app.outbox));
        assert_eq!(first.unwrap() + second.unwrap(), 1);
        tokio::join!(one.send(), other.send());
        let mails: Vec<_> = one.mails().into_iter().chain(other.mails()).collect();
        assert_eq!(mails.len(), 1);
        for part in ["To: \"Mei Tanaka\" <mei@school.example>", "Subject: What is new in your courses", "Living Soil",
            "An answer to your post in \"Welcome\"", "List-Unsubscribe: <https://school.example/mail/unsubscribe?token=",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click"] {
            assert!(mails[0].contains(part), "{part}\n{}", mails[0]);
        }
        for secret in ["garden", "Omar"] {
            assert!(!mails[0].contains(secret), "neither bodies nor names: {}", mails[0]);
        }
        assert_eq!(counted(&school, "SELECT COUNT(*) FROM outbox WHERE argument LIKE '%Welcome%'").await, 0);
        school.clock.advance(86_400);
        assert_eq!(morning(&school, &one).await, 0, "never of the same again");
        reply(&school, "A third.").await;
        school.clock.advance(86_400);
        assert_eq!((morning(&school, &one).await, morning(&school, &one).await), (1, 0));
    }

    async fn a_digest_says_what_its_reader_may_see_when_it_is_sent(school) {
        reachable(&school).await;
        let postbox = Postbox::new(&school.app);
        let made = async || {
            school.clock.advance(86_400);
            school.app.notifications.make_digests(&school.app.outbox).await.unwrap()
        };
        reply(&school, "One.").await;
        assert_eq!(made().await, 1);
        school.execute("UPDATE enrolments SET left_at = 1772400000000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}").await;
        postbox.send().await;
        assert_eq!(postbox.mails().len(), 0, "she has left meanwhile");
        school.execute("UPDATE enrolments SET left_at = NULL WHERE learner_id = {person:mei}").await;
        reply(&school, "Two.").await;
        assert_eq!(made().await, 1);
        let read = "mutation { markNotificationsRead(input: { until: \"2027-01-01T00:00:00Z\" }) { userErrors { code } } }";
        school.person("mei").await.data(read).await;
        postbox.send().await;
        assert_eq!(postbox.mails().len(), 0, "she has read it meanwhile");
        reply(&school, "Three.").await;
        assert_eq!(made().await, 1);
        school.execute("UPDATE posts SET removed_at = 5, removed_as = 'AUTHOR' WHERE body = 'Three.'").await;
        postbox.send().await;
        assert_eq!(postbox.mails().len(), 0, "it was removed meanwhile");
        reply(&school, "Four.").await;
        assert_eq!(made().await, 1);
        prefer(&school.person("mei").await, json!({ "kinds": [{ "kind": "REPLY", "mail": "NEVER" }] })).await;
        postbox.send().await;
        assert_eq!(postbox.mails().len(), 0, "she does not want it any more");
    }

    async fn an_anonymous_author_stays_so_in_notification_and_mail(school) {
        reachable(&school).await;
        let mei = school.person("mei").await;
        let new = reply(&school, "I am afraid of worms.").await;
        school.execute("UPDATE posts SET anonymity = 'CLASSMATES' WHERE body = 'I am afraid of worms.'").await;
        let notification = &found(&mei).await[0];
        assert_eq!(notification["post"]["id"], json!(new));
        // Who wrote it is the post's to tell: the notification and its id hold nobody but Mei.
        let id = school.id_of("omar").0;
        let stored = "SELECT COUNT(*) FROM notifications WHERE id = {person:omar} OR subject_id = {person:omar} OR group_id = {person:omar}";
        assert_eq!(counted(&school, stored).await, 0);
        assert!(!notification["id"].as_str().unwrap().contains(&id.simple().to_string()));
        school.clock.advance(86_400);
        let postbox = Postbox::new(&school.app);
        morning(&school, &postbox).await;
        let mails = postbox.mails();
        assert_eq!(mails.len(), 1);
        assert!(!mails[0].contains("Omar") && !mails[0].contains("afraid"), "{}", mails[0]);
    }

    async fn nothing_goes_to_an_address_that_nobody_has_verified_nor_where_it_is_not_wanted(school) {
        let postbox = Postbox::new(&school.app);
        reply(&school, "One.").await;
        school.clock.advance(2 * 86_400);
        assert_eq!(morning(&school, &postbox).await, 0, "not verified");
        reachable(&school).await;
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        follow(&mei, &school.thread("soil", "t1")).await;
        post(&omar, &school.thread("soil", "t1"), None, "Two.").await;
        school.clock.advance(2 * 86_400);
        assert_eq!(morning(&school, &postbox).await, 0, "new posts are not mailed unless she asks for it");
        prefer(&mei, json!({ "byMail": false })).await;
        reply(&school, "Three.").await;
        school.clock.advance(2 * 86_400);
        assert_eq!(morning(&school, &postbox).await, 0, "no mails at all");
        assert_eq!(postbox.mails().len(), 0);
    }

    async fn what_she_wants_weekly_comes_on_monday_and_in_her_language(school) {
        reachable(&school).await;
        school.execute("UPDATE accounts SET language = 'fr-CA' WHERE id = {person:mei}").await;
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        prefer(&mei, json!({ "kinds": [{ "kind": "POST", "mail": "DIGEST_WEEKLY", "inGraph": false }] })).await;
        follow(&mei, &school.thread("soil", "t1")).await;
        // It is Monday, 18:00 in Tokyo.
        for body in ["One.", "Two."] {
            post(&omar, &school.thread("soil", "t1"), None, body).await;
        }
        let postbox = Postbox::new(&school.app);
        for _ in 0..6 {
            school.clock.advance(86_400);
            assert_eq!(morning(&school, &postbox).await, 0);
        }
        school.clock.advance(13 * 3_600);
        assert_eq!(morning(&school, &postbox).await, 1);
        let mails = postbox.mails();
        assert!(mails[0].contains("Bonjour Mei Tanaka") && mails[0].contains("2 nouveaux messages"), "{}", mails[0]);
        assert_eq!(found(&mei).await.len(), 0, "by mail only");
    }

    async fn the_link_in_a_mail_ends_them_without_signing_in_and_no_other_does(school) {
        reachable(&school).await;
        let postbox = Postbox::new(&school.app);
        reply(&school, "One.").await;
        school.clock.advance(86_400);
        morning(&school, &postbox).await;
        let token = postbox.token("mail/unsubscribe");
        let token = token.trim_end_matches('>');
        let anybody = school.anybody();
        let page = unsubscribe(anybody, Method::GET, token).await;
        assert_eq!((page.status.as_u16(), page.media_type.as_str()), (200, "text/html; charset=utf-8"));
        assert!(page.text.contains("<form method=\"post\">") && !page.text.contains(token) && !page.text.contains("Mei"), "{}", page.text);
        let wanted = "{ me { notificationPreferences { byMail } } }";
        let mei = school.person("mei").await;
        assert_eq!(mei.data(wanted).await["me"]["notificationPreferences"]["byMail"], true, "a look ends nothing");
        let mut forged: Vec<_> = [String::new(), "x".to_owned(), school.person_node("mei")].into();
        forged.push(format!("{}A", &token[..token.len() - 1]));
        forged.push(format!("A{}", &token[1..]));
        for forged in forged.iter().filter(|forged| *forged != token) {
            assert_eq!(unsubscribe(anybody, Method::POST, forged).await.status.as_u16(), 404, "{forged}");
        }
        assert_eq!(mei.data(wanted).await["me"]["notificationPreferences"]["byMail"], true);
        for _ in 0..2 {
            assert_eq!(unsubscribe(anybody, Method::POST, token).await.status.as_u16(), 200);
        }
        assert_eq!(mei.data(wanted).await["me"]["notificationPreferences"]["byMail"], false);
        reply(&school, "Two.").await;
        school.clock.advance(2 * 86_400);
        assert_eq!(morning(&school, &postbox).await, 0);
        assert_eq!(unsubscribe(anybody, Method::DELETE, token).await.status.as_u16(), 405);
    }

    async fn an_announcement_is_in_the_digest_unless_it_was_taken_back(school) {
        reachable(&school).await;
        let (ana, postbox) = (school.person("ana").await, Postbox::new(&school.app));
        let announce = "mutation($course: ID!, $title: String!) { createAnnouncement(courseId: $course, input: { title: $title, body: \"A secret.\" }) { announcement { id } } }";
        ana.data_with(announce, json!({ "course": school.course("soil"), "title": "Rain\ntomorrow" })).await;
        school.clock.advance(86_400);
        assert_eq!(morning(&school, &postbox).await, 1);
        let mails = postbox.mails();
        assert!(mails[0].contains("Announcement: Rain tomorrow") && !mails[0].contains("secret"), "{}", mails[0]);
        let made = ana.data_with(announce, json!({ "course": school.course("soil"), "title": "Snow" })).await;
        school.clock.advance(86_400);
        assert_eq!(school.app.notifications.make_digests(&school.app.outbox).await.unwrap(), 1);
        let retract = "mutation($id: ID!) { retractAnnouncement(announcementId: $id, input: { version: 1 }) { userErrors { code } } }";
        ana.data_with(retract, json!({ "id": made["createAnnouncement"]["announcement"]["id"] })).await;
        postbox.send().await;
        assert_eq!(postbox.mails().len(), 1);
    }

    async fn a_server_that_ends_between_digest_and_mail_leaves_it_to_another(school) {
        reachable(&school).await;
        let postbox = Postbox::new(&school.app);
        reply(&school, "One.").await;
        school.clock.advance(86_400);
        assert_eq!(school.app.notifications.make_digests(&school.app.outbox).await.unwrap(), 1);
        // As a server leaves it that took it and is no more.
        school.execute("UPDATE outbox SET attempts = 1, not_before = not_before + 1800000000").await;
        assert_eq!((postbox.send().await, postbox.mails().len()), (0, 0));
        school.clock.advance(1_800);
        assert_eq!((postbox.send().await, postbox.mails().len()), (1, 1));
    }
}
