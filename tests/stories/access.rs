//! Who sees what: a learner, her classmates, strangers. Staff and other roles are in `policy.rs`.

use serde_json::{Value, json};
use stoa_testkit::{Client, story};

story! {
    async fn mei_sees_all_of_herself(school) {
        let query = "{ me { name email goals { slug } enrolments(first: 9) { nodes { course { slug } progress } } nextCourses { items { score } } } }";
        let answer = school.person("mei").await.ask(query).await;
        assert_eq!(answer["extensions"].get("redactions"), None, "nothing is held back");
        assert_eq!(answer["data"]["me"]["email"], "mei@school.example");
        assert_eq!(answer["data"]["me"]["enrolments"]["nodes"], json!([
            { "course": { "slug": "compost-step-by-step" }, "progress": 0.125 },
            { "course": { "slug": "living-soil" }, "progress": 1.0 },
        ]));
    }

    async fn omar_sees_meis_name_and_nothing_else_from_whatever_side_he_comes(school) {
        let omar = school.person("omar").await;
        let person = "name email goals { slug } enrolments(first: 9) { nodes { progress } } timePerTopic { seconds } recommendations { score }";
        let query = format!(
            "query($mei: ID!, $thread: ID!, $post: ID!) {{
                node(id: $mei) {{ ... on Person {{ {person} }} }}
                thread: node(id: $thread) {{ ... on Thread {{ posts(last: 1) {{ nodes {{ author {{ {person} }} }} }} }} }}
                post: node(id: $post) {{ ... on Post {{ author {{ {person} }} }} }} }}"
        );
        let variables = json!({
            "mei": school.person_node("mei"), "thread": school.thread("soil", "t2"), "post": school.post("soil", "p5"),
        });
        let answer = omar.ask_with(&query, variables).await;
        assert_eq!(answer.get("errors"), None);
        let expected = json!({ "name": "Mei Tanaka", "email": null, "goals": null, "enrolments": null, "timePerTopic": null, "recommendations": null });
        assert_eq!(answer["data"]["node"], expected);
        assert_eq!(answer["data"]["thread"]["posts"]["nodes"][0]["author"], expected);
        assert_eq!(answer["data"]["post"]["author"], expected);
        let redactions = answer["extensions"]["redactions"].as_array().unwrap();
        let named: Vec<_> = redactions.iter().map(|entry| (entry["field"].as_str().unwrap(), entry["places"].as_u64().unwrap())).collect();
        assert_eq!(named, [
            ("Person.email", 3), ("Person.enrolments", 3), ("Person.goals", 3), ("Person.recommendations", 3), ("Person.timePerTopic", 3),
        ], "each field is named once");
    }

    async fn a_stranger_and_an_enrolment_of_somebody_else_are_not_there(school) {
        let query = "query($id: ID!) { node(id: $id) { __typename } }";
        let zoe = school.person("zoe").await;
        for id in [school.person_node("mei"), school.person_node("nobody"), school.enrolment("mei", "soil"), school.enrolment("zoe", "soil")] {
            assert_eq!(zoe.data_with(query, json!({ "id": id })).await["node"], Value::Null);
        }
        let own = zoe.data_with(query, json!({ "id": school.enrolment("zoe", "sol") })).await;
        assert_eq!(own["node"]["__typename"], "Enrolment");
    }

    async fn those_who_teach_stand_in_the_catalogue_by_name_only(school) {
        let answer = school.anybody().ask("{ course(slug: \"living-soil\") { staff { role person { name email } } } }").await;
        assert_eq!(answer["data"]["course"]["staff"], json!([
            { "role": "INSTRUCTOR", "person": { "name": "Ana Pereira", "email": null } },
            { "role": "ASSISTANT", "person": { "name": "Bo Lindgren", "email": null } },
        ]));
        assert_eq!(answer["extensions"]["redactions"], json!([{
            "field": "Person.email", "category": "CONTACT", "reason": "NOT_SIGNED_IN", "needed": "to sign in, as one of: oneself, support, administrator",
            "seenBy": ["ONESELF", "SUPPORT", "ADMINISTRATOR"], "places": 2,
        }]));
    }

    async fn whoever_has_not_signed_in_is_nobody(school) {
        let data = school.anybody().data("{ me { name } course(slug: \"living-soil\") { myEnrolment { progress } } }").await;
        assert_eq!(data, json!({ "me": null, "course": { "myEnrolment": null } }));
    }

    async fn a_token_that_is_not_valid_is_refused_whatever_is_wrong_with_it(school) {
        let accounts = &school.app.accounts;
        let id = accounts.find_by_email(" Mei@School.example ").await.unwrap().unwrap();
        let ends = stoa_api::time::Timestamp(school.clock.now().0 + 1_000_000);
        let passing = accounts.issue_token(id, "short", Some(ends)).await.unwrap();
        let client = school.anybody().with_token(passing.secret_text());
        assert_eq!(client.data("{ me { name } }").await["me"]["name"], "Mei Tanaka");
        school.clock.advance(1);
        // The id of the request, which an error tells, is the same for all here.
        let ask = async |client: Client| client.with_header("x-request-id", "token").ask("{ me { name } }").await;
        let mut answers = vec![ask(client).await];
        let mut forged = passing.secret_text().to_owned();
        forged.replace_range(40..41, if &forged[40..41] == "A" { "B" } else { "A" });
        for token in [forged.as_str(), "stoa_nonsense", "ey.some.jwt"] {
            answers.push(ask(school.anybody().with_token(token)).await);
        }
        for answer in &answers {
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
            assert_eq!(answer, &answers[0], "the answer does not tell which it was");
        }
    }

    async fn a_database_set_up_with_another_key_is_refused(school) {
        use stoa_api::{accounts::{Accounts, secret::SecretKey}, db::DbError};
        let app = &school.app;
        let key = SecretKey::from_text("another secret key for nothing but tests").unwrap();
        let opened = Accounts::open(app.db.clone(), app.clock.clone(), key, app.audit.clone(), app.outbox.clone()).await;
        assert!(matches!(opened, Err(DbError::SecretKey)));
    }
}
