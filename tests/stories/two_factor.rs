//! Second factors.

use serde_json::{Value, json};
use stoa_api::two_factor::model::Checked;
use stoa_testkit::{Client, School, story};
use totp_rs::{Builder, Secret};

const CONFIRM: &str = "mutation($code: String!) { confirmTwoFactor(input: { code: $code }) {
    recoveryCodes person { twoFactor { enabled since recoveryCodesLeft } } userErrors { code path } } }";
const RENEW: &str = "mutation($code: String!) { renewRecoveryCodes(input: { code: $code }) { recoveryCodes userErrors { code path } } }";
const DISABLE: &str = "mutation($code: String!) { disableTwoFactor(input: { code: $code }) {
    person { twoFactor { enabled } } userErrors { code path } } }";

/// What an authenticator shows now for a secret.
fn shown(school: &School, secret: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(school.clock.now().seconds()).unwrap()).to_string()
}

async fn start(client: &Client) -> Value {
    client.data("mutation { startTwoFactor { secret uri userErrors { code path } } }").await["startTwoFactor"].clone()
}

/// Sets a second factor up: the secret and the recovery codes.
async fn set_up(school: &School, client: &Client) -> (String, Vec<String>) {
    let secret = start(client).await["secret"].as_str().unwrap().to_owned();
    let data = client.data_with(CONFIRM, json!({ "code": shown(school, &secret) })).await;
    let codes = serde_json::from_value(data["confirmTwoFactor"]["recoveryCodes"].clone()).unwrap();
    school.clock.advance(30);
    (secret, codes)
}

story! {
    async fn mei_sets_up_a_second_factor(school) {
        let mei = school.in_browser("mei").await;
        let begun = start(&mei).await;
        let secret = begun["secret"].as_str().unwrap();
        assert_eq!(begun["uri"], format!("otpauth://totp/Stoa:mei%40school.example?secret={secret}&issuer=Stoa"));
        let state = mei.data("{ me { twoFactor { enabled since recoveryCodesLeft } } }").await;
        assert_eq!(state["me"]["twoFactor"], json!({ "enabled": false, "since": null, "recoveryCodesLeft": 0 }));

        let wrong = mei.data_with(CONFIRM, json!({ "code": "no" })).await;
        assert_eq!(wrong["confirmTwoFactor"], json!({
            "recoveryCodes": null, "person": null, "userErrors": [{ "code": "WRONG_CODE", "path": ["input", "code"] }],
        }));
        let code = shown(&school, secret);
        let right = mei.data_with(CONFIRM, json!({ "code": format!("{} {}", &code[..3], &code[3..]) })).await;
        assert_eq!(right["confirmTwoFactor"]["userErrors"], json!([]));
        assert_eq!(right["confirmTwoFactor"]["recoveryCodes"].as_array().unwrap().len(), 10);
        assert_eq!(right["confirmTwoFactor"]["person"]["twoFactor"],
            json!({ "enabled": true, "since": "2026-03-02T09:00:00Z", "recoveryCodesLeft": 10 }));
        assert_eq!(start(&mei).await, json!({ "secret": null, "uri": null, "userErrors": [{ "code": "TWO_FACTOR_ON", "path": [] }] }));
    }

    async fn a_code_works_once_also_when_it_comes_twice_at_once(school) {
        let (secret, _) = set_up(&school, &school.in_browser("mei").await).await;
        let (mei, factor) = (school.id_of("mei"), &school.app.two_factor);
        let code = shown(&school, &secret);
        let (one, other) = tokio::join!(factor.check(mei, &code), factor.check(mei, &code));
        let mut both = [one.unwrap(), other.unwrap()];
        both.sort_by_key(|checked| *checked != Checked::Right);
        assert_eq!(both, [Checked::Right, Checked::Wrong]);
        school.clock.advance(30);
        assert_eq!(factor.check(mei, &code).await.unwrap(), Checked::Wrong, "a step later it is taken, but not again");
        let next = shown(&school, &secret);
        school.clock.advance(30);
        assert_eq!(factor.check(mei, &next).await.unwrap(), Checked::Right, "one that was typed slowly");
    }

    async fn a_recovery_code_works_once_and_renewing_ends_the_rest(school) {
        let client = school.in_browser("mei").await;
        let (_, codes) = set_up(&school, &client).await;
        let (mei, factor) = (school.id_of("mei"), &school.app.two_factor);
        assert_eq!(factor.check(mei, &codes[0].to_uppercase()).await.unwrap(), Checked::RightByRecovery);
        assert_eq!(factor.check(mei, &codes[0]).await.unwrap(), Checked::Wrong);
        let left = client.data("{ me { twoFactor { recoveryCodesLeft } } }").await;
        assert_eq!(left["me"]["twoFactor"]["recoveryCodesLeft"], 9);

        let renewed = client.data_with(RENEW, json!({ "code": codes[1] })).await;
        let new: Vec<String> = serde_json::from_value(renewed["renewRecoveryCodes"]["recoveryCodes"].clone()).unwrap();
        assert_eq!(new.len(), 10);
        assert_eq!(factor.check(mei, &codes[2]).await.unwrap(), Checked::Wrong);
        assert_eq!(factor.check(mei, &new[2]).await.unwrap(), Checked::RightByRecovery);
        assert_eq!(factor.check(school.id_of("omar"), &new[3]).await.unwrap(), Checked::NotOn, "Omar has none");
    }

    async fn after_five_wrong_codes_even_the_right_one_waits(school) {
        let client = school.in_browser("mei").await;
        let (secret, codes) = set_up(&school, &client).await;
        let (mei, factor) = (school.id_of("mei"), &school.app.two_factor);
        for _ in 0..5 {
            assert_eq!(factor.check(mei, "nonsense").await.unwrap(), Checked::Wrong);
        }
        for code in [&shown(&school, &secret), &codes[0]] {
            assert!(matches!(factor.check(mei, code).await.unwrap(), Checked::Throttled(_)));
        }
        let answer = client.data_with(DISABLE, json!({ "code": shown(&school, &secret) })).await;
        assert_eq!(answer["disableTwoFactor"]["userErrors"], json!([{ "code": "THROTTLED", "path": ["input", "code"] }]));
        school.clock.advance(15 * 60);
        assert_eq!(factor.check(mei, &shown(&school, &secret)).await.unwrap(), Checked::Right);
    }

    async fn mei_turns_it_off_with_a_code_and_not_without(school) {
        let client = school.in_browser("mei").await;
        let (secret, _) = set_up(&school, &client).await;
        let refused = client.data_with(DISABLE, json!({ "code": "123" })).await;
        assert_eq!(refused["disableTwoFactor"], json!({ "person": null, "userErrors": [{ "code": "WRONG_CODE", "path": ["input", "code"] }] }));
        let done = client.data_with(DISABLE, json!({ "code": shown(&school, &secret) })).await;
        assert_eq!(done["disableTwoFactor"], json!({ "person": { "twoFactor": { "enabled": false } }, "userErrors": [] }));
        assert!(!school.app.two_factor.is_on(school.id_of("mei")).await.unwrap());
        let again = client.data_with(DISABLE, json!({ "code": "123" })).await;
        assert_eq!(again["disableTwoFactor"]["userErrors"], json!([{ "code": "TWO_FACTOR_OFF", "path": [] }]));
    }

    async fn classmates_do_not_see_whether_mei_has_one_and_support_does(school) {
        set_up(&school, &school.in_browser("mei").await).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Person { twoFactor { enabled } } } }";
        let ask = json!({ "id": school.person_node("mei") });
        let omar = school.person("omar").await.data_with(query, ask.clone()).await;
        assert_eq!(omar["node"]["twoFactor"], Value::Null);
        school.grant("zoe", stoa_api::accounts::model::SystemRole::Support).await;
        let zoe = school.person("zoe").await.data_with(query, ask).await;
        assert_eq!(zoe["node"]["twoFactor"]["enabled"], true);
    }

    async fn a_secret_that_lies_with_somebody_elses_account_does_not_open(school) {
        use stoa_api::db::DbError;
        let (secret, _) = set_up(&school, &school.in_browser("mei").await).await;
        set_up(&school, &school.in_browser("omar").await).await;
        school.execute("UPDATE second_factors SET sealed_secret = (SELECT s.sealed_secret FROM second_factors s ORDER BY s.account_id LIMIT 1)").await;
        let code = shown(&school, &secret);
        let mut answers = Vec::new();
        for key in ["mei", "omar"] {
            answers.push(school.app.two_factor.check(school.id_of(key), &code).await);
        }
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(DbError::Sealed))).count(), 1, "{answers:?}");
    }

    async fn nothing_secret_shows_in_a_log(school) {
        let mei = school.id_of("mei");
        let begun = school.app.two_factor.start(mei).await.unwrap().unwrap();
        let codes = school.app.two_factor.confirm(mei, None, &shown(&school, &begun.secret)).await.unwrap().unwrap();
        assert_eq!(format!("{begun:?} {codes:?}"), "<second factor> <recovery codes>");
    }
}
