//! Roles by job function.

use serde_json::{Value, json};
use stoa_api::accounts::model::SystemRole;
use stoa_testkit::{Client, School, story};

async fn change(client: &Client, field: &str, school: &School, key: &str, role: &str) -> Value {
    let query = format!(
        "mutation($id: ID!, $role: Role!) {{ {field}(accountId: $id, role: $role) {{ person {{ roles }} userErrors {{ code path }} }} }}"
    );
    client.ask_with(&query, json!({ "id": school.person_node(key), "role": role })).await
}

const FIND: &str = "query($email: String!) { account(email: $email) { name email roles goals { slug } } }";

story! {
    async fn an_administrator_gives_roles_and_takes_them(school) {
        school.grant("ana", SystemRole::Administrator).await;
        let ana = school.person("ana").await;
        let given = change(&ana, "grantRole", &school, "bo", "SUPPORT").await;
        assert_eq!(given["data"]["grantRole"], json!({ "person": { "roles": ["SUPPORT"] }, "userErrors": [] }));
        assert_eq!(change(&ana, "grantRole", &school, "bo", "SUPPORT").await, given, "again changes nothing");
        change(&ana, "grantRole", &school, "bo", "ANALYST").await;
        let taken = change(&ana, "revokeRole", &school, "bo", "SUPPORT").await;
        assert_eq!(taken["data"]["revokeRole"]["person"]["roles"], json!(["ANALYST"]));
        let nobody = change(&ana, "grantRole", &school, "nobody", "SUPPORT").await;
        assert_eq!(nobody["data"]["grantRole"], json!({ "person": null, "userErrors": [{ "code": "NOT_FOUND", "path": ["accountId"] }] }));
    }

    async fn nobody_else_gives_roles(school) {
        school.grant("bo", SystemRole::Support).await;
        school.grant("omar", SystemRole::Analyst).await;
        for key in ["ana", "bo", "omar", "mei"] {
            let answer = change(&school.person(key).await, "grantRole", &school, key, "ADMINISTRATOR").await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{key}");
        }
        let answer = change(school.anybody(), "grantRole", &school, "mei", "SUPPORT").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert!(school.app.accounts.roles(school.id_of("mei")).await.unwrap().is_empty());
    }

    async fn the_last_administrator_stays_also_if_two_dismiss_each_other_at_once(school) {
        school.grant("ana", SystemRole::Administrator).await;
        school.grant("bo", SystemRole::Administrator).await;
        let (ana, bo) = (school.person("ana").await, school.person("bo").await);
        tokio::join!(
            change(&ana, "revokeRole", &school, "bo", "ADMINISTRATOR"),
            change(&bo, "revokeRole", &school, "ana", "ADMINISTRATOR"),
        );
        let mut left = Vec::new();
        for key in ["ana", "bo"] {
            if !school.app.accounts.roles(school.id_of(key)).await.unwrap().is_empty() {
                left.push(key);
            }
        }
        assert_eq!(left.len(), 1, "one is left: {left:?}");
        let last = change(&school.person(left[0]).await, "revokeRole", &school, left[0], "ADMINISTRATOR").await;
        assert_eq!(last["data"]["revokeRole"], json!({ "person": null, "userErrors": [{ "code": "LAST_ADMINISTRATOR", "path": ["role"] }] }));
    }

    async fn support_finds_an_account_by_its_address_and_sees_no_learning(school) {
        school.grant("bo", SystemRole::Support).await;
        let answer = school.person("bo").await.ask_with(FIND, json!({ "email": "ZOE@school.example" })).await;
        assert_eq!(answer["data"]["account"], Value::Null, "Zoe has no address");
        let answer = school.person("bo").await.ask_with(FIND, json!({ "email": " Omar@School.example" })).await;
        assert_eq!(answer["data"]["account"], json!({ "name": "Omar Said", "email": "omar@school.example", "roles": [], "goals": null }));
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Person.goals");
    }

    async fn for_everybody_else_an_address_is_nobodys(school) {
        school.grant("omar", SystemRole::Analyst).await;
        for key in ["ana", "omar", "mei"] {
            let client = school.person(key).await.with_header("stoa-cost", "omit");
            let known = client.ask_with(FIND, json!({ "email": "omar@school.example" })).await;
            let unknown = client.ask_with(FIND, json!({ "email": "nobody@school.example" })).await;
            assert_eq!(known, json!({ "data": { "account": null } }), "{key}");
            assert_eq!(known, unknown);
        }
    }

    async fn bo_who_teaches_one_course_and_takes_another_is_each_where_he_is_it(school) {
        let bo = school.person("bo").await;
        bo.data_with("mutation($c: ID!) { enroll(courseId: $c) { userErrors { code } } }", json!({ "c": school.course("compost") })).await;
        let query = "query($mine: ID!, $theirs: ID!) {
            mine: node(id: $mine) { ... on Enrolment { progress seconds } } theirs: node(id: $theirs) { ... on Enrolment { progress seconds } } }";
        let ids = json!({ "mine": school.enrolment("zoe", "sol"), "theirs": school.enrolment("omar", "compost") });
        let data = bo.data_with(query, ids).await;
        assert_eq!(data["mine"], json!({ "progress": 1.0, "seconds": 450 }), "he teaches Zoe");
        assert_eq!(data["theirs"], Value::Null, "he is Omar's classmate there");
    }
}
