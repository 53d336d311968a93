//! Signing up, in and out.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use stoa_api::{
    access::TokenScope,
    accounts::model::NewToken,
    app::Settings,
    sign_in::{
        SignInSettings,
        model::{Origin, Proof},
    },
    time::Timestamp,
};
use stoa_testkit::{Answer, Client, Database, School, story};

const PASSWORD: &str = "seven otters juggle plums";
const ME: &str = "{ me { name } }";
const SIGN_IN: &str = "mutation($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { accountId secondFactorNeeded userErrors { code message path } } }";
const SIGN_UP: &str = "mutation($name: String!, $email: String!, $password: String!) {
    signUp(input: { name: $name, email: $email, password: $password }) { userErrors { code path } } }";

async fn signs_up(client: &Client, name: &str, email: &str, password: &str) -> Value {
    let variables = json!({ "name": name, "email": email, "password": password });
    client.data_with(SIGN_UP, variables).await["signUp"]["userErrors"].take()
}

async fn signs_in(client: &Client, email: &str, password: &str) -> Value {
    client.data_with(SIGN_IN, json!({ "email": email, "password": password })).await["signIn"].take()
}

/// Mei, signed in in a browser of hers.
async fn mei(school: &School) -> Client {
    school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
    let browser = school.anybody().browser();
    assert_eq!(signs_in(&browser, "mei@school.example", PASSWORD).await["userErrors"], json!([]));
    browser
}

async fn posted(client: &Client, query: &str, headers: &[(&str, &str)]) -> Answer {
    let request = poem::Request::builder().method(Method::POST).content_type("application/json").uri_str("/graphql");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    client.send(request.body(json!({ "query": query }).to_string())).await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

story! {
    async fn ida_signs_up_and_in_and_out(school) {
        let browser = school.anybody().browser();
        assert_eq!(signs_up(&browser, "Ida Holm", "Ida@holm.example", PASSWORD).await, json!([]));
        assert_eq!(browser.data(ME).await["me"], Value::Null, "signing up does not sign in");
        let signed_in = signs_in(&browser, " ida@Holm.example ", PASSWORD).await;
        assert_eq!(signed_in["userErrors"], json!([]));
        assert!(signed_in["accountId"].is_string());
        assert_eq!(browser.data(ME).await["me"]["name"], "Ida Holm");
        let session = browser.cookie("__Host-stoa-session").unwrap();
        assert_eq!(browser.data("mutation { signOut { signedOut } }").await["signOut"]["signedOut"], true);
        assert_eq!(browser.cookie("__Host-stoa-session"), None);
        browser.set_cookie("__Host-stoa-session", &session);
        assert_eq!(browser.data(ME).await["me"], Value::Null, "the session has ended, not only the cookie");
    }

    async fn the_cookie_of_a_session_is_for_this_site_and_not_for_scripts(school) {
        school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
        let query = format!("mutation {{ signIn(input: {{ email: \"mei@school.example\", password: \"{PASSWORD}\" }}) {{ accountId }} }}");
        let answer = posted(school.anybody(), &query, &[]).await;
        let of = |name: &str| answer.cookies.iter().find(|cookie| cookie.starts_with(name)).cloned().unwrap();
        assert!(of("__Host-stoa-session=").ends_with("; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict"));
        assert!(of("__Host-stoa-device=").ends_with("; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Strict"));
    }

    async fn an_address_that_is_taken_gives_the_same_answer_for_the_same_work(school) {
        let sign_in = &school.app.sign_in;
        let before = sign_in.hashes();
        let taken = signs_up(school.anybody(), "Not Mei", "mei@school.example", PASSWORD).await;
        let cost = sign_in.hashes() - before;
        assert_eq!(signs_up(school.anybody(), "Ida Holm", "ida@holm.example", PASSWORD).await, taken);
        assert_eq!(sign_in.hashes() - before, 2 * cost);
        assert_eq!(code(&signs_in(school.anybody(), "mei@school.example", PASSWORD).await), "WRONG_CREDENTIALS", "Mei's account is as it was");
    }

    async fn a_wrong_password_and_an_unknown_address_cost_and_say_the_same(school) {
        school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
        let mut answers = Vec::new();
        // Omar has an account without a password.
        for email in ["mei@school.example", "nobody@school.example", "omar@school.example"] {
            let before = school.app.sign_in.hashes();
            answers.push((signs_in(school.anybody(), email, "nine otters juggle plums").await, school.app.sign_in.hashes() - before));
        }
        assert_eq!(code(&answers[0].0), "WRONG_CREDENTIALS");
        assert_eq!(answers[0].1, 1);
        assert_eq!(answers[1], answers[0]);
        assert_eq!(answers[2], answers[0]);
    }

    async fn guessing_is_throttled_for_every_address_alike_until_time_has_passed(school) {
        school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
        let mut throttled = Vec::new();
        for email in ["mei@school.example", "nobody@school.example"] {
            for _ in 0..5 {
                assert_eq!(code(&signs_in(school.anybody(), email, "nine otters juggle plums").await), "WRONG_CREDENTIALS");
            }
            throttled.push(signs_in(school.anybody(), email, PASSWORD).await);
        }
        assert_eq!(code(&throttled[0]), "THROTTLED", "the right password, too");
        assert_eq!(throttled[0], throttled[1]);
        school.clock.advance(3);
        assert_eq!(code(&signs_in(school.anybody(), "nobody@school.example", "x").await), "WRONG_CREDENTIALS");
        assert_eq!(code(&signs_in(school.anybody(), "nobody@school.example", "x").await), "THROTTLED");
        assert!(signs_in(school.anybody(), "mei@school.example", PASSWORD).await["accountId"].is_string());
    }

    async fn nobody_can_lock_mei_out_of_her_own_browser(school) {
        let browser = mei(&school).await;
        for _ in 0..6 {
            signs_in(school.anybody(), "mei@school.example", "nine otters juggle plums").await;
        }
        assert_eq!(code(&signs_in(school.anybody(), "mei@school.example", PASSWORD).await), "THROTTLED");
        assert!(signs_in(&browser, "mei@school.example", PASSWORD).await["accountId"].is_string());
    }

    async fn many_attempts_at_once_are_counted_one_by_one(school) {
        let mut throttled = 0;
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let client = school.anybody().clone();
            set.spawn(async move { signs_in(&client, "nobody@school.example", "x").await });
        }
        while let Some(answer) = set.join_next().await {
            throttled += usize::from(code(&answer.unwrap()) == "THROTTLED");
        }
        assert_eq!(throttled, 7);
    }

    async fn a_suspended_account_is_shut_and_only_its_holder_learns_why(school) {
        let browser = mei(&school).await;
        let program = school.person("mei").await;
        school.execute("UPDATE accounts SET status = 'SUSPENDED' WHERE email = 'mei@school.example'").await;
        assert_eq!(browser.data(ME).await["me"], Value::Null);
        assert_eq!(program.ask(ME).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(code(&signs_in(&browser, "mei@school.example", PASSWORD).await), "SUSPENDED");
        assert_eq!(code(&signs_in(&browser, "mei@school.example", "nine otters juggle plums").await), "WRONG_CREDENTIALS");
    }

    async fn mei_sees_her_sessions_and_ends_one(school) {
        let (here, there) = (mei(&school).await, school.anybody().browser());
        signs_in(&there, "mei@school.example", PASSWORD).await;
        let sessions = here.data("{ me { account { status sessions { id isCurrent client twoFactor } } } }").await;
        let sessions = sessions["me"]["account"]["sessions"].as_array().unwrap().clone();
        assert_eq!(sessions.len(), 2);
        let other = sessions.iter().find(|session| session["isCurrent"] == false).unwrap();
        let end = "mutation($id: ID!) { revokeSession(id: $id) { revoked userErrors { code } } }";
        assert_eq!(here.data_with(end, json!({ "id": other["id"] })).await["revokeSession"]["revoked"], 1);
        assert_eq!(code(&here.data_with(end, json!({ "id": other["id"] })).await["revokeSession"]), "NOT_FOUND");
        assert_eq!(there.data(ME).await["me"], Value::Null);
        assert_eq!(here.data(ME).await["me"]["name"], "Mei Tanaka");
    }

    async fn a_session_ends_after_its_days(school) {
        let browser = mei(&school).await;
        school.clock.advance(30 * 86_400 - 1);
        assert_eq!(browser.data(ME).await["me"]["name"], "Mei Tanaka");
        school.clock.advance(1);
        let answer = posted(&browser, ME, &[]).await;
        assert_eq!(answer.json()["data"]["me"], Value::Null);
        assert!(answer.cookies[0].starts_with("__Host-stoa-session=; Path=/; Max-Age=0;"), "what is of no use is taken away");
    }

    async fn a_cookie_that_is_none_of_ours_is_taken_away(school) {
        let browser = mei(&school).await;
        let mut forged = browser.cookie("__Host-stoa-session").unwrap();
        forged.replace_range(60..61, if &forged[60..61] == "A" { "B" } else { "A" });
        for cookie in [forged.as_str(), "nonsense", ""] {
            let other = school.anybody().browser();
            other.set_cookie("__Host-stoa-session", cookie);
            assert_eq!(other.data(ME).await["me"], Value::Null);
            assert_eq!(other.cookie("__Host-stoa-session"), None);
        }
    }

    async fn another_sites_page_can_do_nothing_with_the_cookie(school) {
        let browser = mei(&school).await;
        for headers in [[("sec-fetch-site", "cross-site")], [("sec-fetch-site", "same-site")], [("origin", "https://evil.example")], [("origin", "null")]] {
            let answer = posted(&browser, ME, &headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "CROSS_SITE");
        }
        for headers in [vec![("sec-fetch-site", "same-origin")], vec![("origin", "https://stoa.example"), ("host", "stoa.example")]] {
            assert_eq!(posted(&browser, ME, &headers).await.json()["data"]["me"]["name"], "Mei Tanaka");
        }
    }

    async fn a_token_counts_before_a_cookie(school) {
        let browser = mei(&school).await;
        let answer = posted(&browser, ME, &[("authorization", "Bearer stoa_nonsense")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }

    async fn a_token_does_what_it_was_made_for_and_makes_none_that_does_more(school) {
        let browser = mei(&school).await;
        let make = "mutation($scopes: [TokenScope!]!, $days: Int!) { createToken(input: { label: \"notes\", scopes: $scopes, days: $days }) {
            secret token { id label scopes } userErrors { code path } } }";
        let made = browser.data_with(make, json!({ "scopes": ["READ"], "days": 7 })).await["createToken"].take();
        let program = school.anybody().with_token(made["secret"].as_str().unwrap());
        assert_eq!(program.data(ME).await["me"]["name"], "Mei Tanaka");
        let enroll = "mutation($id: ID!) { enroll(courseId: $id) { userErrors { code } } }";
        let refused = program.ask_with(enroll, json!({ "id": school.course("sol") })).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "SCOPE_NEEDED");

        let scopes = vec![TokenScope::Read, TokenScope::Account];
        let ends = Timestamp(school.clock.now().0 + 1_000_000);
        let new = NewToken { label: "manager".to_owned(), scopes, expires_at: Some(ends), two_factor: false };
        let (_, manager) = school.app.accounts.issue(school.id_of("mei"), &new).await.unwrap();
        let manager = school.anybody().with_token(manager.secret_text());
        let more = manager.data_with(make, json!({ "scopes": ["READ", "PEOPLE"], "days": 7 })).await;
        assert_eq!(code(&more["createToken"]), "SCOPE_NEEDED");
        let long = manager.data_with(make, json!({ "scopes": ["READ"], "days": 3651 })).await;
        assert_eq!(code(&long["createToken"]), "OUT_OF_RANGE");
        school.clock.advance(1);
        assert_eq!(manager.ask(ME).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

        let revoke = "mutation($id: ID!) { revokeToken(id: $id) { revoked } }";
        assert_eq!(browser.data_with(revoke, json!({ "id": made["token"]["id"] })).await["revokeToken"]["revoked"], 1);
        assert_eq!(program.ask(ME).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }

    async fn passwords_that_are_not_good_enough_are_refused(school) {
        for (password, what) in [("short", "PASSWORD"), ("password1234", "PASSWORD"), ("hello Ida Holm hello", "PASSWORD"), ("my ida.holm42 address", "PASSWORD")] {
            let errors = signs_up(school.anybody(), "Ida Holm", "ida.holm42@holm.example", password).await;
            assert_eq!(errors, json!([{ "code": what, "path": ["input", "password"] }]), "{password}");
        }
        assert_eq!(signs_up(school.anybody(), "Ida", "nonsense", PASSWORD).await[0]["code"], "EMAIL");
        assert_eq!(signs_up(school.anybody(), " ", "ida@holm.example", PASSWORD).await[0]["code"], "LENGTH");
    }

    async fn a_changed_password_ends_the_other_sessions(school) {
        let (here, there) = (mei(&school).await, school.anybody().browser());
        signs_in(&there, "mei@school.example", PASSWORD).await;
        let change = "mutation($old: String!, $new: String!) { changePassword(input: { password: $old, newPassword: $new }) { userErrors { code path } } }";
        let wrong = here.data_with(change, json!({ "old": "not it at all", "new": "five herons knit lanterns" })).await;
        assert_eq!(code(&wrong["changePassword"]), "WRONG_CREDENTIALS");
        let weak = here.data_with(change, json!({ "old": PASSWORD, "new": "qwertyuiop" })).await;
        assert_eq!(weak["changePassword"]["userErrors"], json!([{ "code": "PASSWORD", "path": ["input", "newPassword"] }]));
        let changed = here.data_with(change, json!({ "old": PASSWORD, "new": "five herons knit lanterns" })).await;
        assert_eq!(changed["changePassword"]["userErrors"], json!([]));
        assert_eq!(there.data(ME).await["me"], Value::Null);
        assert_eq!(here.data(ME).await["me"]["name"], "Mei Tanaka");
        assert_eq!(code(&signs_in(&there, "mei@school.example", PASSWORD).await), "WRONG_CREDENTIALS");
        assert!(signs_in(&there, "mei@school.example", "five herons knit lanterns").await["accountId"].is_string());
    }

    async fn mei_sees_who_tried_to_sign_in(school) {
        let browser = mei(&school).await;
        for _ in 0..5 {
            signs_in(school.anybody(), "mei@school.example", "nine otters juggle plums").await;
        }
        school.clock.advance(10);
        signs_in(&browser, "mei@school.example", PASSWORD).await;
        let page = "query($after: String) { me { account { signIns(first: 4, after: $after) { pageInfo { hasNextPage endCursor } nodes { outcome method suspicious } } } } }";
        let first = browser.data(page).await["me"]["account"]["signIns"].take();
        assert_eq!(first["nodes"][0], json!({ "outcome": "SUCCEEDED", "method": "PASSWORD", "suspicious": ["MANY_FAILURES"] }));
        assert_eq!(first["nodes"][1]["outcome"], "WRONG_PASSWORD");
        assert_eq!(first["pageInfo"]["hasNextPage"], true);
        let rest = browser.data_with(page, json!({ "after": first["pageInfo"]["endCursor"] })).await["me"]["account"]["signIns"].take();
        assert_eq!(rest["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(rest["nodes"][2]["outcome"], "SUCCEEDED");
        assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    }

    async fn a_sign_in_from_a_new_browser_in_a_new_network_is_suspicious(school) {
        let at = |network: &str| Origin { network: Some(network.to_owned()), ..Origin::default() };
        let proof = Proof { email: "mei@school.example".to_owned(), password: PASSWORD.to_owned(), code: None };
        school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
        for network in ["203.0.113.0/24", "203.0.113.0/24", "198.51.100.0/24"] {
            school.clock.advance(60);
            school.app.sign_in.sign_in(&proof, &at(network)).await.unwrap().unwrap();
        }
        let data = school.person("mei").await.data("{ me { account { signIns(first: 3) { nodes { network suspicious } } } } }").await;
        assert_eq!(data["me"]["account"]["signIns"]["nodes"], json!([
            { "network": "198.51.100.0/24", "suspicious": ["NEW_DEVICE", "NEW_NETWORK"] },
            { "network": "203.0.113.0/24", "suspicious": [] },
            { "network": "203.0.113.0/24", "suspicious": [] },
        ]));
    }

    async fn a_classmate_sees_nothing_of_an_account(school) {
        let query = "query($id: ID!) { node(id: $id) { ... on Person { name account { status } } } }";
        let answer = school.person("omar").await.ask_with(query, json!({ "id": school.person_node("mei") })).await;
        assert_eq!(answer["data"]["node"], json!({ "name": "Mei Tanaka", "account": null }));
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "Person.account");
    }

    async fn nothing_secret_shows_in_debug(school) {
        let proof = Proof { email: "mei@school.example".to_owned(), password: PASSWORD.to_owned(), code: Some("123456".to_owned()) };
        school.app.sign_in.set_password(school.id_of("mei"), PASSWORD).await.unwrap().unwrap();
        let (viewer, session) = school.app.sign_in.sign_in(&proof, &Origin::default()).await.unwrap().unwrap();
        let shown = format!("{proof:?} {session:?} {viewer:?}");
        for secret in ["mei@", "otters", "123456", session.secret_text()] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_addresses_are_verified_only_a_right_password_is_told_so() {
    let settings = SignInSettings { verify_email: true, ..SignInSettings::default() };
    let school = School::with(Database::sqlite(), Settings { sign_in: settings, ..Settings::default() }).await;
    signs_up(school.anybody(), "Ida Holm", "ida@holm.example", PASSWORD).await;
    assert_eq!(code(&signs_in(school.anybody(), "ida@holm.example", PASSWORD).await), "EMAIL_NOT_VERIFIED");
    assert_eq!(
        code(&signs_in(school.anybody(), "ida@holm.example", "nine otters juggle plums").await),
        "WRONG_CREDENTIALS"
    );
}
