//! Answers that are compressed, and answers that may be kept.

use std::io::Read as _;

use poem::{
    Request,
    http::{Method, StatusCode},
};
use serde_json::json;
use stoa_api::{app::Settings, http::HttpSettings};
use stoa_testkit::{Answer, Client, story};

use super::http::{get, send};

/// Some kilobytes, about nobody.
const SCHEMA: &str = "query=%7B__schema%7Btypes%7Bname%20description%7D%7D%7D";
const SMALL: &str = "query=%7B__typename%7D";

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Asks for something in a form that is no text.
async fn packed(client: &Client, accept: &str) -> (String, Vec<u8>) {
    let request = Request::builder().uri_str(format!("/graphql?{SCHEMA}")).header("accept-encoding", accept);
    let answer = client.send_bytes(request.finish()).await;
    (answer.0.get("content-encoding").map_or("", |value| value.to_str().unwrap()).to_owned(), answer.1)
}

fn settings(http: HttpSettings) -> Settings {
    Settings { http, ..Settings::default() }
}

story! {
    async fn a_large_answer_is_compressed_as_the_client_likes_it(school) {
        let plain = get(school.anybody(), SCHEMA, &[]).await;
        assert!(header(&plain, "vary").contains("accept-encoding") && !plain.headers.contains_key("content-encoding"));
        let (coding, bytes) = packed(school.anybody(), "gzip").await;
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!((coding.as_str(), &unpacked), ("gzip", &plain.text));
        for (accept, expected) in [("gzip;q=0.5, br", "br"), ("zstd, gzip", "zstd"), ("br;q=0, *;q=0.1", "zstd"), ("identity", "")] {
            let (coding, bytes) = packed(school.anybody(), accept).await;
            assert_eq!(coding, expected, "{accept}");
            assert!(coding.is_empty() || bytes.len() < plain.text.len() / 2, "{accept}: {}", bytes.len());
        }
    }

    async fn a_small_answer_is_not_worth_it(school) {
        let answer = get(school.anybody(), SMALL, &[("accept-encoding", "gzip, br, zstd")]).await;
        assert_eq!((header(&answer, "content-encoding"), answer.json()), ("", json!({ "data": { "__typename": "Query" } })));
    }

    async fn the_answer_to_a_mutation_is_not_compressed_since_secrets_come_in_it(school) {
        let long = "x".repeat(4_000);
        let body = json!({ "query": format!("mutation {{ {long}: __typename }}") }).to_string();
        let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
        let answer = school.anybody().send(request.header("accept-encoding", "gzip, br, zstd").body(body)).await;
        assert!(answer.text.len() > 4_000 && header(&answer, "content-encoding").is_empty(), "{}", answer.text);
    }

    async fn nothing_is_compressed_where_the_installation_says_so(school) {
        let school = school.under(settings(HttpSettings { compress_bytes: 0, ..HttpSettings::default() })).await;
        assert_eq!(packed(school.anybody(), "gzip").await.0, "");
    }

    async fn a_public_answer_need_not_come_twice(school) {
        let answer = get(school.anybody(), SMALL, &[]).await;
        assert_eq!(header(&answer, "cache-control"), "public, no-cache");
        assert_eq!(header(&answer, "vary").replace(' ', ""), "accept,accept-encoding,authorization,cookie");
        let tag = header(&answer, "etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = get(school.anybody(), SMALL, &[("if-none-match", &known)]).await;
            assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
            assert_eq!((header(&again, "etag"), header(&again, "cache-control")), (tag.as_str(), "public, no-cache"));
        }
        assert_eq!(get(school.anybody(), SMALL, &[("if-none-match", "\"other\"")]).await.status, StatusCode::OK);
        let head = send(school.anybody(), Method::HEAD, SMALL, &[]).await;
        assert_eq!(header(&head, "etag"), tag);
    }

    async fn the_tag_is_of_the_bytes_that_are_sent(school) {
        let tag = async |name: &'static str, value: &'static str| {
            let request = Request::builder().uri_str(format!("/graphql?{SCHEMA}")).header(name, value);
            school.anybody().send_bytes(request.finish()).await.0["etag"].clone()
        };
        let tags = [
            tag("accept-encoding", "identity").await,
            tag("accept-encoding", "gzip").await,
            tag("accept-encoding", "br").await,
            tag("accept", "application/graphql-response+json").await,
        ];
        let different: std::collections::HashSet<_> = tags.iter().collect();
        assert_eq!(different.len(), tags.len(), "{tags:?}");
    }

    async fn the_tag_changes_with_the_answer(school) {
        let query = "query=%7Bcourse(slug%3A%22living-soil%22)%7Btitle%7D%7D";
        let before = header(&get(school.anybody(), query, &[]).await, "etag").to_owned();
        school.execute("UPDATE courses SET title = 'Soil' WHERE id = {course:soil}").await;
        let after = get(school.anybody(), query, &[("if-none-match", &before)]).await;
        assert_eq!((after.status, after.json()["data"]["course"]["title"].as_str()), (StatusCode::OK, Some("Soil")));
    }

    async fn an_answer_for_somebody_or_about_somebody_is_not_kept(school) {
        let mei = school.person("mei").await;
        let anybody = school.anybody();
        let hidden = "query=%7Bcourse(slug%3A%22living-soil%22)%7Bstaff%7Bperson%7Bemail%7D%7D%7D%7D";
        let failing = "query=%7Bcourses(first%3A-1)%7Bnodes%7Bid%7D%7D%7D";
        let request = Request::builder().method(Method::POST).uri_str("/graphql").content_type("application/json");
        for (who, answer) in [
            ("with a token", get(&mei, SMALL, &[]).await),
            ("with a cookie", get(anybody, SMALL, &[("cookie", "anything=1")]).await),
            ("with something hidden", get(anybody, hidden, &[]).await),
            ("with an error", get(anybody, failing, &[]).await),
            ("that can't be carried out", get(anybody, "query=%7B", &[]).await),
            ("by POST", anybody.send(request.body(r#"{"query":"{__typename}"}"#)).await),
        ] {
            assert_eq!((header(&answer, "cache-control"), header(&answer, "etag")), ("no-store", ""), "{who}");
        }
        let answer = get(anybody, hidden, &[]).await.json();
        assert!(answer["extensions"]["redactions"].is_array(), "{answer}");
    }

    async fn an_installation_says_for_how_long_a_public_answer_is_kept(school) {
        let school = school.under(settings(HttpSettings { public_max_age_seconds: 60, ..HttpSettings::default() })).await;
        assert_eq!(header(&get(school.anybody(), SMALL, &[]).await, "cache-control"), "public, max-age=60");
        let mei = school.person("mei").await;
        assert_eq!(header(&get(&mei, SMALL, &[]).await, "cache-control"), "no-store");
    }
}
