//! Pages of other origins.

use poem::http::Method;
use stoa_api::{app::Settings, http::HttpSettings};
use stoa_testkit::{Answer, School, story};

use super::http::{get, send};

const APP: &str = "https://app.example";
const QUERY: &str = "query=%7B__typename%7D";

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

async fn open_to(school: School, origins: &[&str]) -> School {
    let cors_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    let http = HttpSettings { cors_origins, ..HttpSettings::default() };
    school.under(Settings { http, ..Settings::default() }).await
}

async fn may_i(school: &School, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization, content-type"),
    ];
    send(school.anybody(), Method::OPTIONS, "", &headers).await
}

story! {
    async fn no_other_origin_may_ask_unless_somebody_decides_so(school) {
        let answer = may_i(&school, APP).await;
        assert_eq!((answer.status.as_u16(), answer.json()["errors"][0]["extensions"]["code"].as_str()), (403, Some("CROSS_ORIGIN")));
        assert_eq!(header(&answer, "access-control-allow-origin"), None);
        let answer = get(school.anybody(), QUERY, &[("origin", APP)]).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "a browser keeps the answer from the page");
    }

    async fn an_origin_that_is_named_may_ask_and_read(school) {
        let school = open_to(school, &["https://App.Example:443", "http://localhost:5173"]).await;
        let answer = may_i(&school, APP).await;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (204, Some(APP)));
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET, POST"));
        assert_eq!(header(&answer, "access-control-max-age"), Some("7200"));
        let allowed = header(&answer, "access-control-allow-headers").unwrap();
        for name in ["authorization", "content-type", "stoa-denied-fields", "stoa-seen-as", "apollographql-client-name", "x-request-id"] {
            assert!(allowed.split(", ").any(|allowed| allowed == name), "{name} is not in {allowed}");
        }
        let answer = get(school.anybody(), QUERY, &[("origin", "http://localhost:5173")]).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("http://localhost:5173"));
        assert_eq!(header(&answer, "access-control-expose-headers"), Some("x-request-id, etag, retry-after"));
        let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(",").contains("origin"), "{vary:?}");
        for stranger in ["https://app.example.evil.example", "http://app.example", "https://app.example:8443", "null"] {
            let answer = get(school.anybody(), QUERY, &[("origin", stranger)]).await;
            assert_eq!(header(&answer, "access-control-allow-origin"), None, "{stranger}");
        }
    }

    async fn a_session_does_not_count_from_another_origin_though_it_is_named(school) {
        let school = open_to(school, &[APP]).await;
        let answer = get(school.anybody(), QUERY, &[("origin", APP), ("host", "stoa.example"), ("cookie", "__Host-stoa-session=x")]).await;
        assert_eq!((answer.status.as_u16(), answer.json()["errors"][0]["extensions"]["code"].as_str()), (403, Some("CROSS_SITE")));
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(APP), "the page learns why");
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
        assert_eq!(header(&may_i(&school, APP).await, "access-control-allow-credentials"), None);
    }

    async fn an_installation_may_be_open_to_all_but_with_no_ones_cookies(school) {
        let school = open_to(school, &["*"]).await;
        let answer = may_i(&school, "https://anybody.example").await;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (204, Some("*")));
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
    }

    async fn other_addresses_than_graphql_are_for_their_own_pages(school) {
        let school = open_to(school, &["*"]).await;
        let request = poem::Request::builder().uri_str("/readyz").header("origin", APP).finish();
        assert_eq!(header(&school.anybody().send(request).await, "access-control-allow-origin"), None);
    }
}
