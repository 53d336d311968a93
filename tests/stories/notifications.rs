//! What people are notified of in the graph, and what they follow.

use serde_json::{Value, json};
use stoa_testkit::{Client, SCHOOL, School, story};

pub(crate) const NOTIFICATIONS: &str =
    "{ me { unreadNotifications notifications(first: 20) { nodes { id kind count readAt createdAt updatedAt
    course { title } post { id author { name } } thread { title } announcement { title } } } } }";

/// The notifications that somebody finds.
pub(crate) async fn found(client: &Client) -> Vec<Value> {
    client.data(NOTIFICATIONS).await["me"]["notifications"]["nodes"].as_array().unwrap().clone()
}

/// Their kinds, the latest first.
pub(crate) async fn kinds(client: &Client) -> Vec<String> {
    found(client).await.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// Writes in a thread, and answers with the post.
pub(crate) async fn post(client: &Client, thread: &str, reply_to: Option<&str>, body: &str) -> String {
    let query = "mutation($thread: ID!, $input: CreatePostInput!) { createPost(threadId: $thread, input: $input) { post { id } userErrors { code } } }";
    let input = json!({ "replyTo": reply_to, "body": body });
    let data = client.data_with(query, json!({ "thread": thread, "input": input })).await;
    data["createPost"]["post"]["id"].as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned()
}

pub(crate) async fn follow(client: &Client, thread: &str) -> Value {
    let query =
        "mutation($id: ID!) { followThread(threadId: $id) { thread { viewerIsFollowing } userErrors { code path } } }";
    client.data_with(query, json!({ "id": thread })).await["followThread"].take()
}

/// Changes preferences.
pub(crate) async fn prefer(client: &Client, input: Value) -> Value {
    let query = "mutation($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input) {
        person { notificationPreferences { byMail followWhenPosting kinds { kind inGraph mail } } } userErrors { code path } } }";
    client.data_with(query, json!({ "input": input })).await["updateNotificationPreferences"].take()
}

async fn mute(client: &Client, input: Value) -> Value {
    let query = "mutation($input: MuteNotificationsInput!) { muteNotifications(input: $input) {
        person { notificationPreferences { mutes { isWholeCourse course { title } thread { title } } } } userErrors { code path } } }";
    client.data_with(query, json!({ "input": input })).await["muteNotifications"].take()
}

async fn mark(client: &Client, input: Value) -> Value {
    let query = "mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) {
        person { unreadNotifications } userErrors { code path } } }";
    client.data_with(query, json!({ "input": input })).await["markNotificationsRead"].take()
}

/// A number that the database counts.
pub(crate) async fn counted(school: &School, sql: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(school.written(sql));
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    }
}

/// So many strangers, who take *Living Soil*.
pub(crate) async fn crowd(school: &School, people: usize) {
    let (numbers, id) = if school.database.is_sqlite() {
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})",
            "unhex(printf('%032x', i))",
        )
    } else {
        ("WITH n AS (SELECT generate_series(1, {last}) AS i)", "lpad(to_hex(i), 32, '0')::uuid")
    };
    let numbers = numbers.replace("{last}", &people.to_string());
    school
        .execute(&format!(
            "{numbers} INSERT INTO accounts (id, name, created_at) SELECT {id}, 'Somebody', 5 FROM n;
             {numbers} INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum)
               SELECT {id}, {{course:soil}}, 5, 5, 0, 0 FROM n;
             {numbers} INSERT INTO thread_follows (course_id, thread_id, person_id, followed_at)
               SELECT {{course:soil}}, {{thread:t1}}, {id}, 5 FROM n"
        ))
        .await;
}

story! {
    async fn a_post_reaches_those_who_follow_whoever_it_answers_and_not_its_author(school) {
        let (ana, bo, mei, omar) = (school.person("ana").await, school.person("bo").await, school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        assert_eq!(follow(&mei, &thread).await, json!({ "thread": { "viewerIsFollowing": true }, "userErrors": [] }));
        let new = post(&omar, &thread, Some(&school.post("soil", "p2")), "Nine, after rain.").await;
        let of_bo = found(&bo).await;
        assert_eq!(of_bo.len(), 1);
        assert_eq!((&of_bo[0]["kind"], &of_bo[0]["post"]["id"]), (&json!("REPLY"), &json!(new)));
        let of_mei = found(&mei).await;
        assert_eq!(of_mei.len(), 1);
        assert_eq!(of_mei[0]["kind"], "POST");
        assert_eq!(of_mei[0]["thread"]["title"], "Are two worms enough?");
        assert_eq!(of_mei[0]["course"]["title"], "Living Soil");
        assert_eq!(of_mei[0]["post"]["author"]["name"], "Omar Said");
        assert_eq!((found(&omar).await.len(), found(&ana).await.len()), (0, 0));
        // Omar follows the thread now, since he has written in it.
        post(&bo, &thread, None, "Well done.").await;
        assert_eq!(kinds(&omar).await, ["POST"]);
    }

    async fn new_posts_of_a_thread_are_one_notification_until_it_is_read(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        follow(&mei, &thread).await;
        let first = post(&omar, &thread, None, "One.").await;
        for body in ["Two.", "Three."] {
            school.clock.advance(60);
            post(&omar, &thread, None, body).await;
        }
        let data = mei.data(NOTIFICATIONS).await;
        assert_eq!(data["me"]["unreadNotifications"], 1);
        let one = &data["me"]["notifications"]["nodes"][0];
        assert_eq!((&one["count"], &one["post"]["id"]), (&json!(3), &json!(first)), "it leads to where she goes on reading");
        assert_eq!((&one["createdAt"], &one["updatedAt"]), (&json!("2026-03-02T09:00:00Z"), &json!("2026-03-02T09:02:00Z")));
        let answer = mark(&mei, json!({ "ids": [one["id"]] })).await;
        assert_eq!(answer, json!({ "person": { "unreadNotifications": 0 }, "userErrors": [] }));
        school.clock.advance(60);
        post(&omar, &thread, None, "Four.").await;
        let counts: Vec<_> = found(&mei).await.iter().map(|one| one["count"].clone()).collect();
        assert_eq!(counts, [json!(1), json!(3)]);
        let unread = mei.data("{ me { notifications(first: 9, unread: true) { nodes { count } } } }").await;
        assert_eq!(unread["me"]["notifications"]["nodes"], json!([{ "count": 1 }]));
        mark(&mei, json!({ "until": "2026-03-02T09:03:00Z" })).await;
        assert_eq!(mei.data(NOTIFICATIONS).await["me"]["unreadNotifications"], 0);
    }

    async fn of_a_post_somebody_is_told_once_as_what_is_closest(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t2");
        follow(&mei, &thread).await;
        let mention = format!("@[Mei Tanaka](person:{}), which pots?", school.person_node("mei"));
        post(&omar, &thread, Some(&school.post("soil", "p5")), &mention).await;
        assert_eq!(kinds(&mei).await, ["MENTION"]);
        post(&omar, &thread, Some(&school.post("soil", "p5")), "And which soil?").await;
        post(&omar, &thread, None, "Never mind.").await;
        let mut kinds = kinds(&mei).await;
        kinds.sort();
        assert_eq!(kinds, ["MENTION", "POST", "REPLY"]);
    }

    async fn who_has_left_hears_nothing_and_what_she_was_told_shows_nothing_any_more(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        follow(&mei, &thread).await;
        post(&omar, &thread, None, "One.").await;
        school.execute("UPDATE enrolments SET left_at = 1772400000000000 WHERE learner_id = {person:mei} AND course_id = {course:soil}").await;
        let mention = format!("Two. @[Mei Tanaka](person:{})", school.person_node("mei"));
        post(&omar, &thread, None, &mention).await;
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Are you there?").await;
        let found = found(&mei).await;
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["count"], 1);
        assert_eq!((&found[0]["post"], &found[0]["thread"]), (&Value::Null, &Value::Null));
        let answer = follow(&mei, &thread).await;
        assert_eq!(answer, json!({ "thread": null, "userErrors": [{ "code": "NOT_FOUND", "path": ["threadId"] }] }));
    }

    async fn somebody_who_does_not_follow_any_more_or_has_muted_it_hears_nothing(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let thread = school.thread("soil", "t1");
        follow(&mei, &thread).await;
        let stop = "mutation($id: ID!) { unfollowThread(threadId: $id) { thread { viewerIsFollowing } } }";
        assert_eq!(mei.data_with(stop, json!({ "id": thread })).await["unfollowThread"]["thread"]["viewerIsFollowing"], false);
        post(&omar, &thread, None, "One.").await;
        follow(&mei, &thread).await;
        let muted = mute(&mei, json!({ "what": { "threadId": thread } })).await;
        assert_eq!(muted["person"]["notificationPreferences"]["mutes"], json!([
            { "isWholeCourse": false, "course": { "title": "Living Soil" }, "thread": { "title": "Are two worms enough?" } },
        ]));
        post(&omar, &thread, None, "Two.").await;
        assert_eq!(kinds(&mei).await, Vec::<String>::new());
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Elsewhere.").await;
        assert_eq!(kinds(&mei).await, ["REPLY"]);
        mute(&mei, json!({ "what": { "courseId": school.course("soil") } })).await;
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Here, too.").await;
        assert_eq!(kinds(&mei).await, ["REPLY"]);
        let muted = mute(&mei, json!({ "what": { "courseId": school.course("soil") }, "muted": false })).await;
        assert_eq!(muted["person"]["notificationPreferences"]["mutes"].as_array().unwrap().len(), 1);
        mute(&mei, json!({ "what": { "threadId": thread }, "muted": false })).await;
        post(&omar, &thread, None, "Three.").await;
        assert_eq!(kinds(&mei).await.len(), 2);
        for (name, id) in [("courseId", school.course("sol")), ("threadId", school.thread("soil", "none"))] {
            let refused = mute(&mei, json!({ "what": { name: id } })).await;
            assert_eq!(refused["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["input", "what", name] }]));
        }
    }

    async fn preferences_say_what_is_told(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let before = mei.data("{ me { notificationPreferences { byMail followWhenPosting kinds { kind inGraph mail } } } }").await;
        let kinds_of = |answer: &Value, kind: &str| {
            let kinds = answer["notificationPreferences"]["kinds"].as_array().unwrap().clone();
            kinds.into_iter().find(|one| one["kind"] == kind).unwrap()
        };
        assert_eq!(kinds_of(&before["me"], "POST"), json!({ "kind": "POST", "inGraph": true, "mail": "NEVER" }));
        assert_eq!(kinds_of(&before["me"], "REPLY"), json!({ "kind": "REPLY", "inGraph": true, "mail": "DIGEST_DAILY" }));
        let after = prefer(&mei, json!({ "followWhenPosting": false, "kinds": [{ "kind": "REPLY", "inGraph": false }, { "kind": "POST", "mail": "DIGEST_WEEKLY" }] })).await;
        assert_eq!(after["person"]["notificationPreferences"]["followWhenPosting"], false);
        assert_eq!(kinds_of(&after["person"], "REPLY"), json!({ "kind": "REPLY", "inGraph": false, "mail": "DIGEST_DAILY" }));
        assert_eq!(kinds_of(&after["person"], "POST"), json!({ "kind": "POST", "inGraph": true, "mail": "DIGEST_WEEKLY" }));
        let thread = school.thread("soil", "t1");
        post(&mei, &thread, None, "Here I am.").await;
        post(&omar, &thread, None, "And I.").await;
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Which pots?").await;
        assert_eq!(kinds(&mei).await, Vec::<String>::new());
        prefer(&mei, json!({ "kinds": [{ "kind": "REPLY", "inGraph": true }] })).await;
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Which?").await;
        assert_eq!(kinds(&mei).await, ["REPLY"]);
    }

    async fn staff_can_follow_a_whole_forum(school) {
        let (ana, mei) = (school.person("ana").await, school.person("mei").await);
        let query = "mutation($id: ID!) { followForum(courseId: $id) { course { forum { viewerIsFollowing } } userErrors { code path } } }";
        let answer = ana.data_with(query, json!({ "id": school.course("soil") })).await;
        assert_eq!(answer["followForum"]["course"]["forum"]["viewerIsFollowing"], true);
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"Moss\", body: \"What is it good for?\" }) { thread { id } } }";
        let data = mei.data_with(begin, json!({ "course": school.course("soil") })).await;
        post(&mei, data["createThread"]["thread"]["id"].as_str().unwrap(), None, "Anything?").await;
        let of_ana = found(&ana).await;
        assert_eq!(of_ana.len(), 1, "of the thread, and not of each post in it");
        assert_eq!((&of_ana[0]["thread"]["title"], &of_ana[0]["count"]), (&json!("Moss"), &json!(1)));
        for (client, course, code) in [(&mei, "soil", "NOT_ALLOWED"), (&mei, "sol", "NOT_FOUND")] {
            let answer = client.data_with(query, json!({ "id": school.course(course) })).await;
            assert_eq!(answer["followForum"]["userErrors"], json!([{ "code": code, "path": ["courseId"] }]));
        }
        // Who teaches it no more hears no more.
        school.execute("DELETE FROM course_staff WHERE account_id = {person:ana}").await;
        mei.data_with(begin, json!({ "course": school.course("soil") })).await;
        assert_eq!(found(&ana).await.len(), 1);
    }

    async fn notifications_are_for_nobody_else(school) {
        let (mei, omar, ana) = (school.person("mei").await, school.person("omar").await, school.person("ana").await);
        let thread = school.thread("soil", "t1");
        follow(&mei, &thread).await;
        post(&omar, &thread, None, "One.").await;
        let id = found(&mei).await[0]["id"].clone();
        for other in [&omar, &ana, school.anybody()] {
            let data = other.data_with("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(data["node"], Value::Null);
        }
        let answer = mark(&omar, json!({ "ids": [id] })).await;
        assert_eq!(answer["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["input", "ids"] }]));
        assert_eq!(mark(&mei, json!({})).await["userErrors"], json!([{ "code": "OUT_OF_RANGE", "path": ["input"] }]));
        let query = "query($id: ID!) { node(id: $id) { ... on Person { notifications(first: 1) { nodes { id } } unreadNotifications notificationPreferences { byMail } } } }";
        let answer = ana.ask_with(query, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(answer["data"]["node"], json!({ "notifications": null, "unreadNotifications": null, "notificationPreferences": null }));
        let seen = mei.with_header("Stoa-Seen-As", &format!("STAFF {}", school.course("soil")));
        assert_eq!(seen.ask(NOTIFICATIONS).await["data"]["me"]["notifications"], Value::Null);
    }

    async fn notifications_page_both_ways_and_a_group_that_grows_moves_up(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        for number in 0..5 {
            school.clock.advance(60);
            post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), &format!("{number}")).await;
        }
        let thread = school.thread("soil", "t1");
        follow(&mei, &thread).await;
        school.clock.advance(60);
        post(&omar, &thread, None, "One.").await;
        let query = "query($after: String, $before: String) { me {
            forth: notifications(first: 2, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }
            back: notifications(last: 2, before: $before) { edges { cursor node { id } } } } }";
        let all: Vec<_> = found(&mei).await.iter().map(|one| one["id"].clone()).collect();
        assert_eq!(all.len(), 6);
        let mut walked = Vec::new();
        let mut after = Value::Null;
        loop {
            let data = mei.data_with(query, json!({ "after": after })).await;
            let edges = data["me"]["forth"]["edges"].as_array().unwrap().clone();
            walked.extend(edges.iter().map(|edge| edge["node"]["id"].clone()));
            after = edges.last().unwrap()["cursor"].clone();
            if data["me"]["forth"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
            // What comes meanwhile goes to the top, and repeats nothing.
            school.clock.advance(60);
            post(&omar, &thread, None, "Another.").await;
        }
        assert_eq!(walked, all);
        let data = mei.data_with(query, json!({})).await;
        let back: Vec<_> = data["me"]["back"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone()).collect();
        assert_eq!(back, all[4..]);
        let stolen = mei.ask("{ me { notifications(first: 1, unread: true, after: \"nonsense\") { nodes { id } } } }").await;
        assert_eq!(stolen["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }

    async fn many_followers_are_told_in_parts_and_each_once(school) {
        crowd(&school, 1_200).await;
        let omar = school.person("omar").await;
        post(&omar, &school.thread("soil", "t1"), None, "One.").await;
        let told = "SELECT COUNT(*) FROM notifications";
        assert_eq!(counted(&school, told).await, 500, "with the post itself no more than a part");
        // Two servers go on at once; one of them may find the round taken.
        let (one, other) = (school.app.notifications.clone(), school.app.notifications.clone());
        for _ in 0..4 {
            let (one, other) = tokio::join!(one.go_on(), other.go_on());
            one.unwrap();
            other.unwrap();
        }
        assert_eq!(counted(&school, told).await, 1_200);
        assert_eq!(counted(&school, "SELECT COUNT(*) FROM notifications WHERE times > 1").await, 0);
        assert_eq!(counted(&school, "SELECT COUNT(*) FROM notice_rounds").await, 0);
    }

    async fn unread_ones_are_counted_up_to_a_hundred(school) {
        let mei = school.person("mei").await;
        let numbers = if school.database.is_sqlite() {
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 130)"
        } else {
            "WITH n AS (SELECT generate_series(1, 130) AS i)"
        };
        let id = if school.database.is_sqlite() { "unhex(printf('%032x', i))" } else { "lpad(to_hex(i), 32, '0')::uuid" };
        school.execute(&format!("{numbers} INSERT INTO notifications (person_id, id, kind, created_at, updated_at)
            SELECT {{person:mei}}, {id}, 'SEAT_OFFERED', i, i FROM n")).await;
        assert_eq!(mei.data(NOTIFICATIONS).await["me"]["unreadNotifications"], 100);
    }

    async fn what_is_old_is_forgotten_what_was_read_sooner(school) {
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        follow(&mei, &school.thread("soil", "t1")).await;
        post(&omar, &school.thread("soil", "t1"), None, "One.").await;
        post(&omar, &school.thread("soil", "t2"), Some(&school.post("soil", "p5")), "Two.").await;
        let reply = found(&mei).await.into_iter().find(|one| one["kind"] == "REPLY").unwrap();
        mark(&mei, json!({ "ids": [reply["id"]] })).await;
        school.clock.advance(90 * 86_400);
        assert_eq!(school.app.notifications.prune().await.unwrap(), 0);
        school.clock.advance(1);
        assert_eq!(school.app.notifications.prune().await.unwrap(), 1);
        assert_eq!(kinds(&mei).await, ["POST"]);
        school.clock.advance(275 * 86_400);
        assert_eq!(school.app.notifications.prune().await.unwrap(), 1);
        assert_eq!(kinds(&mei).await, Vec::<String>::new());
    }

    async fn who_follows_a_thread_follows_the_one_that_its_posts_were_moved_to(school) {
        use stoa_api::ids::{CourseId, ThreadId};
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        follow(&mei, &school.thread("soil", "t1")).await;
        let thread = |key| ThreadId::imported(SCHOOL, key);
        for _ in 0..2 {
            let mut tx = school.app.db.begin().await.unwrap();
            let course = CourseId::imported(SCHOOL, "soil");
            stoa_api::notifications::merged(&mut tx, course, thread("t1"), thread("t2")).await.unwrap();
            tx.commit().await.unwrap();
        }
        post(&omar, &school.thread("soil", "t2"), None, "One.").await;
        assert_eq!(kinds(&mei).await, ["POST"]);
    }

    async fn in_an_open_forum_whoever_follows_is_told_without_being_of_the_class(school) {
        let (mei, zoe) = (school.person("mei").await, school.person("zoe").await);
        let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"Lids\", body: \"On or off?\" }) { thread { id } } }";
        let data = mei.data_with(begin, json!({ "course": school.course("compost") })).await;
        let thread = data["createThread"]["thread"]["id"].as_str().unwrap().to_owned();
        follow(&zoe, &thread).await;
        post(&mei, &thread, None, "On, I think.").await;
        assert_eq!(found(&zoe).await[0]["thread"]["title"], "Lids");
        school.execute("UPDATE courses SET open_forum = FALSE WHERE id = {course:compost}").await;
        school.clock.advance(60);
        post(&mei, &thread, None, "Or off.").await;
        let of_zoe = found(&zoe).await;
        assert_eq!((&of_zoe[0]["count"], &of_zoe[0]["thread"]), (&json!(1), &Value::Null));
    }
}
