//! Whoever does not let her data be used is not profiled, and nothing is kept of what becomes of her lists.

use serde_json::{Value, json};
use stoa_recommender::Settings;
use stoa_testkit::{Client, School, story};

use crate::{
    experiments::{count, report_shown},
    feedback::{busy, list, say},
};

const LIST: &str = "{ me { nextCourses(first: 50) { id personalised dataUsed experiment { arm } items { course { slug } reasons { kind } } } } }";

/// Decides about personal recommendations.
async fn decide(client: &Client, granted: bool) -> Value {
    let query =
        "mutation($granted: Boolean!) { setConsent(input: { purpose: PERSONAL_RECOMMENDATIONS, granted: $granted }) {
        person { consents { purpose granted decidedAt } nextCourses { personalised } } userErrors { code } } }";
    client.data_with(query, json!({ "granted": granted })).await["setConsent"].clone()
}

async fn logged(school: &School, who: &str) -> i64 {
    let mut rows = 0;
    for table in ["recommendation_lists", "offered_lists", "recommendation_impressions", "recommendation_events"] {
        rows += count(school, &format!("SELECT COUNT(*) FROM {table} WHERE learner_id = {{person:{who}}}")).await;
    }
    rows
}

story! {
    async fn consent_is_granted_until_it_is_withdrawn_and_may_be_given_again(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        let data = mei.data("{ me { consents { purpose granted decidedAt } } }").await;
        assert_eq!(data["me"]["consents"], json!([{ "purpose": "PERSONAL_RECOMMENDATIONS", "granted": true, "decidedAt": null }]));
        school.clock.advance(60);
        let payload = decide(&mei, false).await;
        let decided = json!([{ "purpose": "PERSONAL_RECOMMENDATIONS", "granted": false, "decidedAt": "2026-03-02T09:01:00Z" }]);
        assert_eq!(payload["person"], json!({ "consents": decided, "nextCourses": { "personalised": false } }));
        school.clock.advance(60);
        assert_eq!(decide(&mei, false).await["person"]["consents"], decided, "deciding the same again changes nothing");
        let payload = decide(&mei, true).await;
        assert_eq!(payload["person"]["consents"][0]["granted"], true);
        assert_eq!(payload["person"]["nextCourses"]["personalised"], true, "it counts at once");
    }

    async fn without_consent_the_list_is_one_that_anybody_would_get_and_says_so(school) {
        busy(&school).await;
        let (mei, l3) = (school.person("mei").await, school.person("l3").await);
        say(&school, &mei, "c6", "DISMISS").await;
        for learner in [&mei, &l3] {
            decide(learner, false).await;
        }
        let lists = [mei.data(LIST).await, l3.data(LIST).await].map(|data| data["me"]["nextCourses"].clone());
        for list in &lists {
            assert_eq!((&list["personalised"], &list["dataUsed"], &list["id"]), (&json!(false), &json!([]), &Value::Null));
            for item in list["items"].as_array().unwrap() {
                let told = item["reasons"].as_array().unwrap().iter().map(|reason| reason["kind"].as_str().unwrap());
                let of_her = ["TAKEN_NEXT", "SIMILAR_TO", "TIME_ON_TOPIC", "GOAL", "NEXT_LEVEL", "PREREQUISITES_MET"];
                assert!(told.clone().all(|kind| !of_her.contains(&kind)), "{item:#}");
            }
        }
        // In the same order, but for what one of them has or refused.
        let [first, second] = lists.map(|list| {
            let items = list["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["course"]["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        });
        assert!(!first.contains(&"living-soil".to_owned()), "she takes that already");
        assert!(!first.contains(&"course-6".to_owned()), "she refused that");
        assert!(!second.contains(&"course-3".to_owned()), "she takes that already");
        let common = |a: &[String], b: &[String]| a.iter().filter(|slug| b.contains(slug)).cloned().collect::<Vec<_>>();
        assert!(!common(&first, &second).is_empty());
        assert_eq!(common(&first, &second), common(&second, &first));
    }

    async fn who_withdraws_consent_is_not_trained_on(school) {
        busy(&school).await;
        let before = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        decide(&school.person("l1").await, false).await;
        let after = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        assert_eq!((after.learners, after.interactions), (before.learners - 1, before.interactions - 3));
        decide(&school.person("l1").await, true).await;
        let again = school.app.feed.train(Settings::default(), |_| {}).await.unwrap();
        assert_eq!((again.learners, again.interactions), (before.learners, before.interactions));
    }

    async fn with_the_consent_goes_what_was_logged_and_nothing_more_is(school) {
        busy(&school).await;
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        for learner in [&mei, &omar] {
            report_shown(&school, learner, 3).await;
        }
        say(&school, &mei, "c3", "LIKE").await;
        assert!(logged(&school, "mei").await > 4);
        let others = logged(&school, "omar").await;

        decide(&mei, false).await;
        assert_eq!(logged(&school, "mei").await, 0);
        assert_eq!(logged(&school, "omar").await, others, "nobody else's");
        list(&mei).await;
        say(&school, &mei, "c3", "DISMISS").await;
        mei.data_with("mutation($c: ID!) { enroll(courseId: $c) { userErrors { code } } }", json!({ "c": school.course("c4") })).await;
        list(&mei).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(logged(&school, "mei").await, 0, "nothing is logged any more");
        let data = mei.data("{ me { recommendationFeedback(first: 1) { nodes { kind } } } }").await;
        assert_eq!(data["me"]["recommendationFeedback"]["nodes"][0]["kind"], "DISMISS", "what she said stays hers");
    }

    async fn a_list_that_is_being_kept_while_she_withdraws_is_not_kept(school) {
        busy(&school).await;
        let mei = school.person("mei").await;
        for _ in 0..5 {
            // The list is written behind the answer, and the decision comes right after it.
            futures_util::future::join(list(&mei), decide(&mei, false)).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            assert_eq!(logged(&school, "mei").await, 0);
            decide(&mei, true).await;
        }
    }

    async fn an_account_takes_all_of_it_with_it(school) {
        busy(&school).await;
        let l2 = school.person("l2").await;
        report_shown(&school, &l2, 3).await;
        say(&school, &l2, "c7", "LIKE").await;
        decide(&school.person("l2").await, true).await;
        school.execute("DELETE FROM accounts WHERE id = {person:l2}").await;
        assert_eq!(logged(&school, "l2").await, 0);
        for table in ["recommendation_feedback", "consents"] {
            assert_eq!(count(&school, &format!("SELECT COUNT(*) FROM {table} WHERE learner_id = {{person:l2}}")).await, 0, "{table}");
        }
    }
}
