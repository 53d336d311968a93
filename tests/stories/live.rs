//! What happens, told to those who listen.

use serde_json::{Value, json};
use stoa_api::recommendations::lifecycle::Promotion;
use stoa_testkit::{Client, Database, Said, School, Server, Socket, story};

use crate::feedback;

pub(crate) const POSTS: &str = "subscription($thread: ID!) { postAdded(threadId: $thread) {
    missed thread { postCount } post { body author { name email } } } }";

pub(crate) async fn post(school: &School, client: &Client, thread: &str, body: &str) -> Value {
    let query = "mutation($thread: ID!, $body: String!) { createPost(threadId: $thread, input: { body: $body }) { post { id } userErrors { code } } }";
    let data = client.data_with(query, json!({ "thread": school.thread("soil", thread), "body": body })).await;
    assert_eq!(data["createPost"]["userErrors"], json!([]));
    data["createPost"]["post"]["id"].clone()
}

/// Somebody who listens to the new posts of a thread in *Living Soil*.
async fn listens(school: &School, server: &Server, person: &str, thread: &str) -> Socket {
    let mut socket = server.socket_as(&school.person(person).await).await;
    socket.subscribe("posts", POSTS, json!({ "thread": school.thread("soil", thread) })).await;
    socket
}

pub(crate) fn said(answer: &Value) -> &Value {
    &answer["data"]["postAdded"]["post"]["body"]
}

story! {
    async fn a_new_post_arrives_at_all_who_listen_and_nobody_else(school) {
        let server = Server::start(&school.app).await;
        let (mut omar, mut ana) = (listens(&school, &server, "omar", "t1").await, listens(&school, &server, "ana", "t1").await);
        let mut elsewhere = listens(&school, &server, "omar", "t2").await;
        server.has_subscriptions(3).await;
        post(&school, &school.person("mei").await, "t1", "Three today!").await;

        // Omar is a classmate of Mei's, Ana is her instructor: each sees what is for them.
        let answer = omar.answer("posts").await;
        assert_eq!(answer["data"], json!({ "postAdded": { "missed": false, "thread": { "postCount": 4 },
            "post": { "body": "Three today!", "author": { "name": "Mei Tanaka", "email": null } } } }));
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Person.email");
        assert_eq!(answer["extensions"]["redactions"][0]["places"], 1);
        assert_eq!(said(&ana.answer("posts").await), "Three today!");
        elsewhere.hears_nothing().await;

        // Ana's look at Mei was in the log before she saw it, as with any answer.
        let log = school.person("mei").await.data("{ me { accessLog(first: 9) { nodes { actorName category } } } }").await;
        assert_eq!(log["me"]["accessLog"]["nodes"], json!([{ "actorName": "Ana Pereira", "category": "IDENTITY" }]));

        // What she has ended is not told any more, and its id is free again.
        ana.say(&json!({ "type": "complete", "id": "posts" })).await;
        server.has_subscriptions(2).await;
        ana.subscribe("posts", POSTS, json!({ "thread": school.thread("soil", "t2") })).await;
        server.has_subscriptions(3).await;
        post(&school, &school.person("mei").await, "t1", "And four.").await;
        assert_eq!(said(&omar.answer("posts").await), "And four.");
        ana.hears_nothing().await;
    }

    async fn whoever_leaves_the_course_is_told_why_there_is_nothing_more(school) {
        let server = Server::start(&school.app).await;
        let (mut omar, mut mei) = (listens(&school, &server, "omar", "t1").await, listens(&school, &server, "mei", "t1").await);
        server.has_subscriptions(2).await;
        school.app.enrolling.leave(school.id_of("omar"), stoa_api::ids::CourseId::imported(stoa_testkit::SCHOOL, "soil")).await.unwrap().unwrap();
        post(&school, &school.person("ana").await, "t1", "For those who are here").await;
        assert_eq!(said(&mei.answer("posts").await), "For those who are here");
        let errors = omar.error("posts").await;
        assert_eq!(errors[0]["extensions"]["code"], "NOT_FOUND");
        assert_eq!(errors[0]["message"], "there is no such thread, or it is not for you");
        server.has_subscriptions(1).await;
        omar.hears_nothing().await;
    }

    async fn what_is_not_for_the_viewer_can_not_be_listened_to(school) {
        let server = Server::start(&school.app).await;
        let (thread, course) = (school.thread("soil", "t1"), school.course("soil"));
        let queue = "subscription($course: ID!) { moderationQueueChanged(courseId: $course) { missed } }";
        let progress = "subscription($course: ID!) { progressChanged(courseId: $course) { progress } }";
        for (person, query, code) in [
            ("zoe", POSTS, "NOT_FOUND"),
            ("zoe", progress, "NOT_FOUND"),
            ("mei", queue, "FORBIDDEN"),
            ("bo", queue, "FORBIDDEN"),
        ] {
            let mut socket = server.socket_as(&school.person(person).await).await;
            socket.subscribe("1", query, json!({ "thread": thread, "course": course })).await;
            assert_eq!(socket.error("1").await[0]["extensions"]["code"], code, "{person}: {query}");
        }
        let mut nobody = server.socket_as(school.anybody()).await;
        for (query, code) in [(POSTS, "NOT_FOUND"), (progress, "UNAUTHENTICATED"), ("subscription { nextCoursesChanged { id } }", "UNAUTHENTICATED"),
            ("subscription { notificationAdded { notificationId } }", "UNAUTHENTICATED")] {
            nobody.subscribe("1", query, json!({ "thread": thread, "course": course })).await;
            assert_eq!(nobody.error("1").await[0]["extensions"]["code"], code, "{query}");
        }
        assert_eq!(school.app.live.subscriptions(), 0);
        // Ana instructs the course, and so keeps order in its forum.
        let mut ana = server.socket_as(&school.person("ana").await).await;
        ana.subscribe("1", queue, json!({ "course": course })).await;
        server.has_subscriptions(1).await;
    }

    async fn a_thread_tells_of_all_that_happens_to_it(school) {
        let server = Server::start(&school.app).await;
        let mut omar = server.socket_as(&school.person("omar").await).await;
        let query = "subscription($thread: ID!) { threadChanged(threadId: $thread) { missed thread { title postCount } post { id } } }";
        omar.subscribe("thread", query, json!({ "thread": school.thread("soil", "t1") })).await;
        server.has_subscriptions(1).await;
        let added = post(&school, &school.person("mei").await, "t1", "One more").await;
        assert_eq!(omar.answer("thread").await["data"]["threadChanged"], json!({
            "missed": false, "thread": { "title": "Are two worms enough?", "postCount": 4 }, "post": { "id": added },
        }));
    }

    async fn a_learner_sees_her_own_progress_move(school) {
        let server = Server::start(&school.app).await;
        let mei = school.person("mei").await;
        let (mut phone, mut omars) = (server.socket_as(&mei).await, server.socket_as(&school.person("omar").await).await);
        let query = "subscription($course: ID!) { progressChanged(courseId: $course) { progress seconds course { slug } } }";
        for socket in [&mut phone, &mut omars] {
            socket.subscribe("progress", query, json!({ "course": school.course("compost") })).await;
        }
        server.has_subscriptions(2).await;
        let record = "mutation($lesson: ID!) { recordActivity(lessonId: $lesson, input: { seconds: 60, completed: true }) { userErrors { code } } }";
        let done = mei.data_with(record, json!({ "lesson": school.lesson("compost-2") })).await;
        assert_eq!(done["recordActivity"]["userErrors"], json!([]));
        let answer = phone.answer("progress").await;
        let now = mei.data("{ course(slug: \"compost-step-by-step\") { myEnrolment { progress seconds course { slug } } } }").await;
        assert_eq!(answer["data"]["progressChanged"], now["course"]["myEnrolment"]);
        omars.hears_nothing().await;
    }

    async fn next_courses_change_with_what_a_learner_says(school) {
        feedback::busy(&school).await;
        let server = Server::start(&school.app).await;
        let mei = school.person("mei").await;
        let before = feedback::list(&mei).await;
        let dismissed = before.iter().find(|slug| slug.starts_with("course-")).unwrap().clone();
        let key = format!("c{}", dismissed.trim_start_matches("course-"));
        let mut socket = server.socket_as(&mei).await;
        socket.subscribe("next", "subscription { nextCoursesChanged { nextCourses(first: 50) { items { course { slug } } } } }", json!({})).await;
        server.has_subscriptions(1).await;
        feedback::say(&school, &mei, &key, "DISMISS").await;
        let answer = socket.answer("next").await;
        let items = answer["data"]["nextCoursesChanged"]["nextCourses"]["items"].as_array().unwrap();
        assert_eq!(items.len(), before.len() - 1);
        assert!(items.iter().all(|item| item["course"]["slug"] != dismissed.as_str()), "{answer:#}");
        // Saying the same again changes nothing; another model does.
        feedback::say(&school, &mei, &key, "DISMISS").await;
        socket.hears_nothing().await;
        let settings = stoa_recommender::Settings::default();
        school.app.feed.train_with(settings, Promotion::Unmeasured, |_| {}).await.unwrap();
        school.app.feed.refresh().await.unwrap();
        assert!(socket.answer("next").await["data"]["nextCoursesChanged"]["nextCourses"].is_object());
    }

    async fn whoever_has_lost_her_token_or_session_hears_nothing_more(school) {
        let server = Server::start(&school.app).await;
        let ends = stoa_api::time::Timestamp(school.clock.now().0 + 60_000_000);
        let token = school.app.accounts.issue_token(school.id_of("omar"), "short", Some(ends)).await.unwrap();
        let mut omar = server.socket_as(&school.anybody().with_token(token.secret_text())).await;
        omar.subscribe("posts", POSTS, json!({ "thread": school.thread("soil", "t1") })).await;

        let browser = school.in_browser("mei").await;
        let cookie = format!("__Host-stoa-session={}", browser.cookie("__Host-stoa-session").unwrap());
        let origin = format!("http://{}", server.address);
        let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("cookie", cookie.as_str()), ("origin", origin.as_str())];
        let mut mei = server.socket_with(&headers).await.unwrap();
        mei.init(school.anybody()).await;
        mei.subscribe("who", "{ me { name } }", json!({})).await;
        assert_eq!(mei.answer("who").await["data"], json!({ "me": { "name": "Mei Tanaka" } }));
        assert_eq!(mei.hear().await, Said::Message(json!({ "type": "complete", "id": "who" })));
        mei.subscribe("posts", POSTS, json!({ "thread": school.thread("soil", "t1") })).await;
        server.has_subscriptions(2).await;

        let ana = school.person("ana").await;
        post(&school, &ana, "t1", "Both hear this").await;
        assert_eq!(said(&omar.answer("posts").await), "Both hear this");
        assert_eq!(said(&mei.answer("posts").await), "Both hear this");
        school.clock.advance(60);
        assert_eq!(browser.data("mutation { signOut { signedOut } }").await["signOut"]["signedOut"], true);
        post(&school, &ana, "t1", "Neither hears this").await;
        assert_eq!(omar.hear().await, Said::Closed(4403));
        assert_eq!(mei.hear().await, Said::Closed(4403));
        server.has_subscriptions(0).await;

        // With that cookie, a page of somebody else's gets nowhere; neither does a session that is over.
        for from in ["http://evil.example", origin.as_str()] {
            let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("cookie", cookie.as_str()), ("origin", from)];
            let mut socket = server.socket_with(&headers).await.unwrap();
            socket.say(&json!({ "type": "connection_init" })).await;
            assert_eq!(socket.hear().await, Said::Closed(4403), "{from}");
        }
    }

    async fn queries_and_mutations_run_on_the_same_connection(school) {
        let server = Server::start(&school.app).await;
        let mut mei = server.socket_as(&school.person("mei").await).await;
        mei.subscribe("a", "{ me { name } topics { slug } }", json!({})).await;
        let answer = mei.answer("a").await;
        assert_eq!(answer, school.person("mei").await.ask("{ me { name } topics { slug } }").await, "the same as by POST");
        assert_eq!(mei.hear().await, Said::Message(json!({ "type": "complete", "id": "a" })));
        let write = "mutation($t: ID!) { createPost(threadId: $t, input: { body: \"From here, too\" }) { post { body } } }";
        mei.subscribe("a", write, json!({ "t": school.thread("soil", "t1") })).await;
        assert_eq!(mei.answer("a").await["data"]["createPost"]["post"]["body"], "From here, too");
        assert_eq!(mei.hear().await, Said::Message(json!({ "type": "complete", "id": "a" })));
        for (query, code) in [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("query($n: Int!) { courses(first: $n) { nodes { id } } }", "BAD_USER_INPUT"),
            ("subscription { postAdded(threadId: \"x\") { missed } }", "BAD_USER_INPUT"),
            ("subscription { a: nextCoursesChanged { id } b: nextCoursesChanged { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { ... { nextCoursesChanged { id } } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ course(slug: \"\\u0000\") { id } }", "BAD_REQUEST"),
        ] {
            mei.subscribe("a", query, json!({})).await;
            assert_eq!(mei.error("a").await[0]["extensions"]["code"], code, "{query}");
        }
        let sign_in = "mutation { signIn(input: { email: \"mei@school.example\", password: \"?\" }) { userErrors { code } } }";
        mei.subscribe("a", sign_in, json!({})).await;
        assert_eq!(mei.answer("a").await["errors"][0]["extensions"]["code"], "REQUEST_NEEDED", "its cookie would be lost");
        // By POST there is nobody to tell again and again.
        let answer = school.person("mei").await.ask("subscription { nextCoursesChanged { id } }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
}

/// Two servers on one database: what is written at one is heard at the other, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_at_one_replica_is_heard_at_the_other_and_a_lost_connection_is_found_again() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::open(database).await;
    let other = school.replica().await;
    let (here, there) = (Server::start(&school.app).await, Server::start(&other).await);
    let (mut omar, mut mei) =
        (listens(&school, &here, "omar", "t1").await, listens(&school, &there, "mei", "t1").await);
    here.has_subscriptions(1).await;
    there.has_subscriptions(1).await;

    let ana = school.person("ana").await;
    let at_the_other = school
        .anybody_at(&other)
        .with_token(school.app.accounts.issue_token(school.id_of("ana"), "test", None).await.unwrap().secret_text());
    for (client, body) in [(&ana, "Written here"), (&at_the_other, "Written there")] {
        post(&school, client, "t1", body).await;
        for socket in [&mut omar, &mut mei] {
            assert_eq!(said(&socket.answer("posts").await), body);
            socket.hears_nothing().await;
        }
    }

    // Somebody cuts the connections that listen. Nobody is told what is said then, but that there may have been something.
    school.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stoa listener' AND datname = current_database()").await;
    for socket in [&mut omar, &mut mei] {
        let answer = socket.answer("posts").await;
        assert_eq!(answer["data"]["postAdded"]["missed"], true, "{answer:#}");
        assert_eq!(answer["data"]["postAdded"]["post"], Value::Null);
    }
    here.has_subscriptions(1).await;
    there.has_subscriptions(1).await;
    post(&school, &ana, "t1", "And on it goes").await;
    assert_eq!(said(&omar.answer("posts").await), "And on it goes");
    assert_eq!(said(&mei.answer("posts").await), "And on it goes");
}

/// What a server announces that does more than this one: the form of what goes between replicas is fixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_and_reports_are_told_to_whom_they_concern_and_what_is_not_known_is_passed_over() {
    let Some(database) = Database::postgres().await else { return };
    let school = School::open(database).await;
    let server = Server::start(&school.app).await;
    let (mut mei, mut ana) =
        (server.socket_as(&school.person("mei").await).await, server.socket_as(&school.person("ana").await).await);
    for socket in [&mut mei, &mut ana] {
        socket.subscribe("notices", "subscription { notificationAdded { notificationId missed } }", json!({})).await;
    }
    let query = "subscription($course: ID!) { moderationQueueChanged(courseId: $course) { missed course { slug } } }";
    ana.subscribe("queue", query, json!({ "course": school.course("soil") })).await;
    server.has_subscriptions(3).await;
    let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
    let (person, course) = (school.id_of("mei").0, stoa_api::ids::CourseId::imported(stoa_testkit::SCHOOL, "soil").0);
    for event in [
        json!({ "what": "something of tomorrow", "person": person }),
        json!({ "what": "notified", "person": person, "notification": uuid::Uuid::from_u128(7) }),
        json!({ "what": "moderation_changed", "course": course, "report": uuid::Uuid::from_u128(8) }),
    ] {
        sqlx::query("SELECT pg_notify('stoa', $1)").bind(event.to_string()).execute(&pool).await.unwrap();
    }
    let added = &mei.answer("notices").await["data"]["notificationAdded"];
    assert!(added["notificationId"].is_string() && added["missed"] == false, "{added}");
    assert_eq!(
        ana.answer("queue").await["data"]["moderationQueueChanged"],
        json!({ "missed": false, "course": { "slug": "living-soil" } })
    );
    ana.hears_nothing().await;
    mei.hears_nothing().await;
}
