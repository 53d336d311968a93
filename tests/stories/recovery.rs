//! Back into an account.

use serde_json::{Value, json};
use stoa_api::sign_in::model::{Origin, Proof};
use stoa_testkit::{Client, Postbox, School, story};

const REQUEST: &str =
    "mutation($email: String!) { requestPasswordReset(input: { email: $email }) { userErrors { code path } } }";
const RESET: &str = "mutation($token: String!, $password: String!) {
    resetPassword(input: { token: $token, newPassword: $password }) { userErrors { code path } } }";
const VERIFY: &str = "mutation($token: String!) { verifyEmail(input: { token: $token }) { userErrors { code } } }";
const ASK_TO_VERIFY: &str = "mutation { requestEmailVerification { userErrors { code } } }";

/// Whether Mei gets in with this password.
async fn gets_in(school: &School, password: &str) -> bool {
    let proof = Proof { email: "mei@school.example".to_owned(), password: password.to_owned(), code: None };
    school.app.sign_in.sign_in(&proof, &Origin::default()).await.unwrap().is_ok()
}

/// The codes of the one field's user errors.
fn codes(data: &Value) -> Vec<String> {
    let payload = data.as_object().unwrap().values().next().unwrap();
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

async fn asked(client: &Client, email: &str) -> Vec<String> {
    codes(&client.data_with(REQUEST, json!({ "email": email })).await)
}

async fn reset(client: &Client, token: &str, password: &str) -> Vec<String> {
    codes(&client.data_with(RESET, json!({ "token": token, "password": password })).await)
}

story! {
    async fn mei_forgot_her_password_and_sets_a_new_one_with_a_link_that_works_once(school) {
        let (client, post) = (school.anybody().clone(), Postbox::new(&school.app));
        assert!(asked(&client, " Mei@School.example").await.is_empty());
        assert_eq!(post.send().await, 1);
        let token = post.token("reset");
        assert_eq!(reset(&client, &token, "short").await, ["PASSWORD_REFUSED"]);
        assert!(reset(&client, &token, "eleven quiet otters").await.is_empty(), "a refused password does not use it up");
        assert!(gets_in(&school, "eleven quiet otters").await);
        assert_eq!(reset(&client, &token, "twelve noisy herons").await, ["NOT_FOUND"]);
        assert!(!gets_in(&school, "twelve noisy herons").await);
    }

    async fn whoever_asks_does_not_learn_whether_there_is_such_an_account(school) {
        let (client, post) = (school.anybody().clone(), Postbox::new(&school.app));
        let (mut answers, mut work) = (Vec::new(), Vec::new());
        for email in ["mei@school.example", "nobody@school.example"] {
            let before = school.app.db.statements();
            answers.push(client.ask_with(REQUEST, json!({ "email": email })).await);
            work.push(school.app.db.statements() - before);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(work[0], work[1], "the same statements");
        assert_eq!(post.send().await, 2);
        let mails = post.mails();
        assert!(mails.len() == 1 && mails[0].contains("mei@school.example"));
    }

    async fn a_link_that_is_too_old_forged_or_for_something_else_is_refused_alike(school) {
        let (client, post) = (school.anybody().clone(), Postbox::new(&school.app));
        asked(&client, "mei@school.example").await;
        post.send().await;
        let token = post.token("reset");
        let mut forged = token.clone();
        forged.replace_range(60..61, if &token[60..61] == "A" { "B" } else { "A" });
        for wrong in [forged.as_str(), "", "nonsense"] {
            assert_eq!(reset(&client, wrong, "eleven quiet otters").await, ["NOT_FOUND"], "{wrong}");
        }
        assert_eq!(codes(&client.data_with(VERIFY, json!({ "token": token })).await), ["NOT_FOUND"], "for something else");
        school.clock.advance(3_600);
        assert_eq!(reset(&client, &token, "eleven quiet otters").await, ["NOT_FOUND"], "too old");
        assert!(!gets_in(&school, "eleven quiet otters").await);
    }

    async fn a_new_password_ends_the_other_links(school) {
        let (client, post) = (school.anybody().clone(), Postbox::new(&school.app));
        asked(&client, "mei@school.example").await;
        post.send().await;
        let first = post.token("reset");
        school.clock.advance(1);
        asked(&client, "mei@school.example").await;
        post.send().await;
        let second = post.token("reset");
        assert_ne!(first, second);
        assert!(reset(&client, &second, "eleven quiet otters").await.is_empty());
        assert_eq!(reset(&client, &first, "twelve noisy herons").await, ["NOT_FOUND"]);
    }

    async fn whoever_was_inside_is_outside_after_a_reset(school) {
        let (client, post, mei) = (school.anybody().clone(), Postbox::new(&school.app), school.id_of("mei"));
        let program = school.person("mei").await;
        let begun = school.app.two_factor.start(mei).await.unwrap().unwrap();
        school.execute("UPDATE second_factors SET enabled_at = 1").await;
        asked(&client, "mei@school.example").await;
        post.send().await;
        assert!(reset(&client, &post.token("reset"), "eleven quiet otters").await.is_empty(), "{begun:?}");
        assert_eq!(program.ask("{ me { name } }").await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert!(gets_in(&school, "eleven quiet otters").await, "somebody else's second factor is gone");

        school.app.two_factor.start(mei).await.unwrap().unwrap();
        school.execute("UPDATE second_factors SET enabled_at = 1").await;
        asked(&client, "mei@school.example").await;
        post.send().await;
        assert!(reset(&client, &post.token("reset"), "twelve noisy herons").await.is_empty());
        assert!(!gets_in(&school, "twelve noisy herons").await, "now it is hers, and stays");
    }

    async fn whoever_signs_up_with_meis_address_is_outside_when_she_verifies_it(school) {
        let (client, post, mei) = (school.anybody().clone(), Postbox::new(&school.app), school.id_of("mei"));
        for (password, stays) in [(None, false), (Some("twelve noisy herons"), false), (Some("eleven quiet otters"), true)] {
            school.app.sign_in.set_password(mei, "eleven quiet otters").await.unwrap().unwrap();
            school.execute("UPDATE accounts SET email_verified_at = NULL").await;
            post.send().await;
            assert!(school.app.recovery.request_verification(mei).await.unwrap().is_ok());
            post.send().await;
            let verify = "mutation($token: String!, $password: String) { verifyEmail(input: { token: $token, password: $password }) { userErrors { code } } }";
            assert!(codes(&client.data_with(verify, json!({ "token": post.token("verify"), "password": password })).await).is_empty());
            assert_eq!(gets_in(&school, "eleven quiet otters").await, stays, "{password:?}");
            school.clock.advance(60);
        }
    }

    async fn nobodys_mailbox_is_flooded(school) {
        let client = school.anybody().clone();
        for email in ["mei@school.example", "nobody@school.example"] {
            for _ in 0..3 {
                assert!(asked(&client, email).await.is_empty());
            }
            assert_eq!(asked(&client, email).await, ["TOO_MANY_REQUESTS"], "{email}");
        }
        school.clock.advance(3_601);
        assert!(asked(&client, "mei@school.example").await.is_empty());
        assert_eq!(asked(&client, "no address").await, ["OUT_OF_RANGE"]);
    }

    async fn a_network_that_asks_for_everybody_has_to_wait(school) {
        let app = &school.app;
        let ask = |at: i32| {
            let recovery = app.recovery.clone();
            async move { recovery.request_reset(&format!("p{at}@school.example"), Some("203.0.113.0/24")).await.unwrap() }
        };
        for at in 0..60 {
            assert_eq!(ask(at).await, Ok(()));
        }
        assert!(ask(60).await.is_err());
        school.clock.advance(3_600);
        assert_eq!(ask(61).await, Ok(()));
    }

    async fn mei_shows_that_her_address_is_hers(school) {
        let (client, post) = (school.anybody().clone(), Postbox::new(&school.app));
        let mei = school.person("mei").await;
        assert!(codes(&mei.data(ASK_TO_VERIFY).await).is_empty());
        assert_eq!(post.send().await, 1);
        let token = post.token("verify");
        assert_eq!(reset(&client, &token, "eleven quiet otters").await, ["NOT_FOUND"], "it is for something else");
        assert!(codes(&client.data_with(VERIFY, json!({ "token": token })).await).is_empty());
        assert!(school.app.sign_in.is_verified(school.id_of("mei")).await.unwrap());
        assert_eq!(codes(&client.data_with(VERIFY, json!({ "token": token })).await), ["NOT_FOUND"]);
        assert_eq!(mei.ask(ASK_TO_VERIFY).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "it may have been somebody else's");
        let mei = school.person("mei").await;
        assert!(codes(&mei.data(ASK_TO_VERIFY).await).is_empty());
        assert_eq!(post.send().await, 0, "it is known already");
        let answer = client.ask(ASK_TO_VERIFY).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
