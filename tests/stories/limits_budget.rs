//! Budgets, and what an answer tells of them.

use poem::http::StatusCode;
use serde_json::json;
use stoa_api::{app::Settings, graphql::limits::LimitSettings};
use stoa_testkit::{Answer, Client, School, Server, story};

/// Costs 5 + 100 × 21.
const DEAR: &str = "{ courses(first: 100) { nodes { id slug title summary language level status seconds lessonCount version contentVersion publishedAt learnerCount a: id b: id c: id d: id e: id f: id g: id } } }";
const COST: u64 = 2_105;

/// A school where little comes back.
async fn poor(school: School) -> School {
    let limits = LimitSettings {
        budget: 5_000,
        budget_per_second: 1,
        anonymous_budget: 5_000,
        anonymous_budget_per_second: 1,
        cost: 3_000,
        ..LimitSettings::default()
    };
    school.under(Settings { limits, ..Settings::default() }).await
}

async fn send(client: &Client, query: &str) -> Answer {
    let request = poem::Request::builder().method(poem::http::Method::POST).content_type("application/json");
    client.send(request.uri_str("/graphql").body(json!({ "query": query }).to_string())).await
}

story! {
    async fn who_has_signed_in_is_told_what_it_cost_and_what_is_left(school) {
        let school = poor(school).await;
        let mei = school.person("mei").await;
        let cost = mei.ask(DEAR).await["extensions"]["cost"].clone();
        assert_eq!(cost["requested"], COST);
        // One program may use three quarters of the 5,000.
        assert_eq!((&cost["limit"], &cost["remaining"]), (&json!(3_750), &json!(3_750 - COST)));
        assert!(cost["resetAt"].as_str().unwrap().starts_with("2026-03-02T09:"), "{cost}");
        assert_eq!(mei.with_header("stoa-cost", "omit").ask("{ __typename }").await.get("extensions"), None);
        // Whoever has not is told if she wants to know: what anybody may see stays the same for everybody.
        assert_eq!(school.anybody().ask("{ __typename }").await, json!({ "data": { "__typename": "Query" } }));
        let told = school.anybody().with_header("stoa-cost", "include").ask("{ __typename }").await;
        assert_eq!(told["extensions"]["cost"]["requested"], 1);
        let answer = send(&school.anybody().with_header("stoa-cost", "maybe"), "{ __typename }").await;
        assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")));
    }

    async fn a_budget_that_is_used_up_is_a_429_that_says_when_to_come_back(school) {
        let school = poor(school).await;
        let mei = school.person("mei").await.with_header("graphql-client-name", "dashboard");
        assert_eq!(send(&mei, DEAR).await.status, StatusCode::OK);
        for accept in ["application/json", "application/graphql-response+json"] {
            let answer = send(&mei.with_header("accept", accept), DEAR).await;
            let json = answer.json();
            assert_eq!((answer.status.as_u16(), &json["errors"][0]["extensions"]["code"]), (429, &json!("BUDGET_EXHAUSTED")), "{json}");
            assert_eq!(json.get("data"), None);
            let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=2 * COST - 3_750).contains(&seconds), "{seconds}");
            assert_eq!(json["extensions"]["cost"]["requested"], COST);
            let message = json["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("this program's part") && message.contains("whole again at 2026-03-02T09:"), "{message}");
        }
        // Another program of hers goes on, with what is left.
        assert_eq!(send(&mei.with_header("graphql-client-name", "app"), DEAR).await.status, StatusCode::OK);
        let answer = send(&mei.with_header("graphql-client-name", "a third name"), DEAR).await;
        assert!(answer.status == 429 && answer.text.contains("of the budget "), "{}", answer.text);
        // And others are not concerned.
        assert_eq!(send(&school.person("omar").await, DEAR).await.status, StatusCode::OK);
        assert_eq!(send(school.anybody(), DEAR).await.status, StatusCode::OK);
    }

    async fn what_is_refused_costs_nothing(school) {
        let school = poor(school).await;
        let mei = school.person("mei").await;
        let too_dear = DEAR.replace(" a: id", " modules { id } a: id");
        for _ in 0..5 {
            let answer = mei.ask(&too_dear).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "QUERY_TOO_EXPENSIVE");
        }
        assert!(mei.ask(DEAR).await["data"]["courses"]["nodes"].is_array());
    }

    async fn on_a_websocket_each_operation_costs(school) {
        let school = poor(school).await;
        let server = Server::start(&school.app).await;
        let mut socket = server.socket_as(&school.person("mei").await).await;
        socket.subscribe("1", DEAR, json!({})).await;
        let answer = socket.answer("1").await;
        assert_eq!(answer["extensions"]["cost"]["requested"], COST);
        // It is complete.
        socket.hear().await;
        socket.subscribe("2", DEAR, json!({})).await;
        assert_eq!(socket.error("2").await[0]["extensions"]["code"], "BUDGET_EXHAUSTED");
    }
}
