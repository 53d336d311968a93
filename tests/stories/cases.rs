//! Breaking the glass: support sees a learner's record for a reason, for a time, and she knows.

use serde_json::{Value, json};
use stoa_api::{
    access::Rules,
    accounts::model::{NewAccount, SystemRole},
    app::Settings,
};
use stoa_testkit::{Client, School, story};

const OPEN: &str =
    "mutation($who: ID!, $reason: String!, $ticket: String!, $categories: [PersonalCategory!]!, $minutes: Int!) {
    openCase(input: { personId: $who, reason: $reason, ticket: $ticket, categories: $categories, minutes: $minutes }) {
        case { id state expiresAt } userErrors { code path } } }";
const CLOSE: &str = "mutation($id: ID!) { closeCase(caseId: $id) { case { state } userErrors { code } } }";
const APPROVE: &str = "mutation($id: ID!) { approveCase(caseId: $id) { case { state } userErrors { code } } }";
const RECORD: &str = "query($id: ID!) { node(id: $id) { ... on Enrolment { progress seconds } } }";

/// Somebody with a role, signed in.
async fn with_role(school: &School, name: &str, role: SystemRole) -> Client {
    let new = NewAccount { name: name.to_owned(), email: format!("{name}@school.example") };
    let id = school.app.accounts.create(new).await.unwrap();
    school.app.accounts.command_role(id, role, true).await.unwrap();
    let token = school.app.accounts.issue_token(id, "test", None).await.unwrap();
    school.anybody().with_token(token.secret_text())
}

fn about_mei(school: &School) -> Value {
    json!({
        "who": school.person_node("mei"), "reason": "Her progress is lost, she writes.", "ticket": "HELP-7",
        "categories": ["LEARNING_RECORD"], "minutes": 60,
    })
}

async fn open(school: &School, holder: &Client) -> String {
    let payload = holder.data_with(OPEN, about_mei(school)).await["openCase"].take();
    assert_eq!(payload["userErrors"], json!([]));
    payload["case"]["id"].as_str().unwrap().to_owned()
}

/// What somebody sees of Mei in *Living Soil*: progress and time.
async fn record(school: &School, viewer: &Client) -> (Value, Value) {
    let answer = viewer.ask_with(RECORD, json!({ "id": school.enrolment("mei", "soil") })).await;
    (answer["data"]["node"]["progress"].clone(), answer["data"]["node"]["seconds"].clone())
}

const NOTHING: (Value, Value) = (Value::Null, Value::Null);

story! {
    async fn sami_sees_what_his_case_names_until_it_expires_and_mei_reads_all_of_it(school) {
        let sami = with_role(&school, "Sami", SystemRole::Support).await;
        assert_eq!(record(&school, &sami).await, NOTHING);
        open(&school, &sami).await;
        assert_eq!(record(&school, &sami).await, (json!(1.0), Value::Null), "what it names, and nothing else");
        let omar = sami.ask_with(RECORD, json!({ "id": school.enrolment("omar", "soil") })).await;
        assert_eq!(omar["data"]["node"]["progress"], Value::Null, "and of nobody else");
        school.clock.advance(3_599);
        assert_eq!(record(&school, &sami).await.0, json!(1.0));
        school.clock.advance(1);
        assert_eq!(record(&school, &sami).await, NOTHING, "its time is over");

        let mei = school.person("mei").await;
        let data = mei.data("{ me { cases(first: 5) { nodes { state reason ticket categories openedByName approvedByName openedAt expiresAt closedAt looks } }
            accessLog(last: 1) { nodes { event actorName detail caseId } } looked: accessLog(first: 1) { nodes { event relation category caseId } } } }").await;
        assert_eq!(data["me"]["cases"]["nodes"], json!([{
            "state": "EXPIRED", "reason": "Her progress is lost, she writes.", "ticket": "HELP-7", "categories": ["LEARNING_RECORD"],
            "openedByName": "Sami", "approvedByName": null, "openedAt": "2026-03-02T09:00:00Z", "expiresAt": "2026-03-02T10:00:00Z",
            "closedAt": null, "looks": 2,
        }]));
        let opened = &data["me"]["accessLog"]["nodes"][0];
        assert_eq!((&opened["event"], &opened["actorName"], &opened["detail"]), (&json!("CASE_OPENED"), &json!("Sami"), &json!("LEARNING_RECORD")));
        assert_eq!(data["me"]["looked"]["nodes"][0], json!({
            "event": "READ", "relation": "CASE_HOLDER", "category": "LEARNING_RECORD", "caseId": opened["caseId"],
        }));
        open(&school, &sami).await;
    }

    async fn a_closed_case_opens_nothing_and_a_second_one_waits_for_the_first(school) {
        let sami = with_role(&school, "Sami", SystemRole::Support).await;
        let case = open(&school, &sami).await;
        let again = sami.data_with(OPEN, about_mei(&school)).await;
        assert_eq!(again["openCase"]["userErrors"], json!([{ "code": "CONFLICT", "path": ["input", "personId"] }]));
        let rita = with_role(&school, "Rita", SystemRole::Support).await;
        let close = |who: Client, id: String| async move { who.data_with(CLOSE, json!({ "id": id })).await["closeCase"].take() };
        assert_eq!(close(rita, case.clone()).await["userErrors"][0]["code"], "NOT_FOUND", "it is not hers");
        assert_eq!(record(&school, &sami).await.0, json!(1.0));
        assert_eq!(close(sami.clone(), case.clone()).await["case"]["state"], "CLOSED");
        assert_eq!(record(&school, &sami).await, NOTHING);
        assert_eq!(close(sami.clone(), case).await["userErrors"][0]["code"], "CONFLICT");
        let second = open(&school, &sami).await;
        let admin = with_role(&school, "Ada", SystemRole::Administrator).await;
        assert_eq!(close(admin, second).await["case"]["state"], "CLOSED", "an administrator closes any");
        assert_eq!(record(&school, &sami).await, NOTHING);
    }

    async fn where_two_are_needed_a_case_opens_nothing_until_a_second_person_has_approved_it(school) {
        let school = school.under(Settings { rules: Rules { cases_need_approval: true, ..Rules::default() }, ..Settings::default() }).await;
        let (sami, rita) = (with_role(&school, "Sami", SystemRole::Support).await, with_role(&school, "Rita", SystemRole::Support).await);
        let case = open(&school, &sami).await;
        assert_eq!(record(&school, &sami).await, NOTHING);
        let approve = |who: Client| { let id = case.clone(); async move { who.data_with(APPROVE, json!({ "id": id })).await["approveCase"].take() } };
        assert_eq!(approve(sami.clone()).await["userErrors"][0]["code"], "NOT_ALLOWED", "not his own");
        let waiting = rita.data("{ cases(first: 5) { nodes { state reason openedBy { name } person { name } } } }").await;
        assert_eq!(waiting["cases"]["nodes"], json!([{
            "state": "WAITING", "reason": "Her progress is lost, she writes.", "openedBy": { "name": "Sami" }, "person": { "name": "Mei Tanaka" },
        }]));
        assert_eq!(approve(rita.clone()).await["case"]["state"], "OPEN");
        assert_eq!(record(&school, &sami).await.0, json!(1.0));
        assert_eq!(record(&school, &rita).await, NOTHING, "it is his case");
        assert_eq!(approve(rita.clone()).await["userErrors"][0]["code"], "CONFLICT");
        let mei = school.person("mei").await;
        let told = mei.data("{ me { cases(first: 1) { nodes { approvedByName } } } }").await;
        assert_eq!(told["me"]["cases"]["nodes"][0]["approvedByName"], "Rita");
        assert_eq!(rita.data("{ cases(first: 5) { nodes { state } } }").await["cases"]["nodes"], json!([]));
    }

    async fn a_case_that_is_not_as_it_should_be_is_refused_with_the_place(school) {
        let sami = with_role(&school, "Sami", SystemRole::Support).await;
        let wrong: [(&str, Value, &str); 9] = [
            ("reason", json!("because"), "LENGTH"),
            ("reason", json!("x".repeat(2_001)), "LENGTH"),
            ("ticket", json!(" "), "LENGTH"),
            ("categories", json!([]), "LENGTH"),
            ("categories", json!(["PAYMENT"]), "NOT_ALLOWED"),
            ("minutes", json!(14), "OUT_OF_RANGE"),
            ("minutes", json!(72 * 60 + 1), "OUT_OF_RANGE"),
            ("who", json!(sami.data("{ me { id } }").await["me"]["id"]), "NOT_ALLOWED"),
            ("who", json!(school.person_node("nobody")), "NOT_FOUND"),
        ];
        for (name, value, code) in wrong {
            let mut variables = about_mei(&school);
            variables[name] = value;
            let payload = sami.data_with(OPEN, variables).await["openCase"].take();
            let path = if name == "who" { "personId" } else { name };
            assert_eq!(payload, json!({ "case": null, "userErrors": [{ "code": code, "path": ["input", path] }] }), "{name}");
        }
    }

    async fn neither_a_learner_nor_an_instructor_nor_an_analyst_opens_a_case(school) {
        let analyst = with_role(&school, "Lin", SystemRole::Analyst).await;
        for client in [school.person("omar").await, school.person("ana").await, analyst] {
            let answer = client.ask_with(OPEN, about_mei(&school)).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
            assert_eq!(client.ask("{ cases(first: 1) { nodes { id } } }").await["errors"][0]["extensions"]["code"], "FORBIDDEN");
        }
        let answer = school.anybody().ask_with(OPEN, about_mei(&school)).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn a_case_is_found_by_id_by_those_it_concerns_only_and_ends_with_the_role(school) {
        let sami = with_role(&school, "Sami", SystemRole::Support).await;
        let case = open(&school, &sami).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Case { reason looks } } }";
        let rita = with_role(&school, "Rita", SystemRole::Support).await;
        for (client, looks) in [(school.person("mei").await, json!(0)), (sami.clone(), Value::Null)] {
            let answer = client.ask_with(query, json!({ "id": case })).await;
            assert_eq!(answer["data"]["node"], json!({ "reason": "Her progress is lost, she writes.", "looks": looks }));
        }
        for client in [rita, school.person("omar").await, school.person("ana").await] {
            assert_eq!(client.ask_with(query, json!({ "id": case })).await["data"]["node"], Value::Null);
        }
        assert_eq!(record(&school, &sami).await.0, json!(1.0));
        school.execute("DELETE FROM account_roles").await;
        assert_eq!(record(&school, &sami).await, NOTHING);
    }
}
