//! Somebody who asks.

use poem::{
    Endpoint, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use crate::Query;

/// Sends requests through the server's own routes, as one viewer.
#[derive(Clone)]
pub struct Client {
    pub(crate) routes: Arc<BoxEndpoint<'static, Response>>,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Kept from answers and sent again, as a browser does it; `None` for a program.
    pub(crate) cookies: Option<Arc<Mutex<BTreeMap<String, String>>>>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The media type.
    pub media_type: String,
    /// The id under which the log knows the request.
    pub request_id: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The text.
    pub text: String,
    /// The `Set-Cookie` headers.
    pub cookies: Vec<String>,
}

impl Answer {
    /// The text as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Client {
    /// The token that she shows.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client, which sends this header too.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// A browser of its own: it keeps cookies, and sends them.
    #[must_use]
    pub fn browser(&self) -> Self {
        Self { cookies: Some(Arc::default()), token: None, ..self.clone() }
    }

    /// The cookie of this name that the browser keeps.
    ///
    /// # Panics
    /// If another test has panicked with it.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.as_ref()?.lock().expect("nobody panicked").get(name).cloned()
    }

    /// Gives the browser a cookie.
    ///
    /// # Panics
    /// If another test has panicked with it.
    pub fn set_cookie(&self, name: &str, value: &str) {
        if let Some(cookies) = &self.cookies {
            cookies.lock().expect("nobody panicked").insert(name.to_owned(), value.to_owned());
        }
    }

    /// Asks, and answers with the whole JSON.
    pub async fn ask(&self, query: &str) -> Value {
        self.ask_with(query, json!({})).await
    }

    /// As [`Client::ask`], with variables.
    pub async fn ask_with(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::builder().method(poem::http::Method::POST).content_type("application/json");
        self.send(request.uri_str("/graphql").body(body)).await.json()
    }

    /// Asks what a [`Query`] asks, with its headers.
    pub async fn ask_query(&self, query: &Query) -> Answer {
        let (text, variables) = query.written();
        let body = json!({ "query": text, "variables": variables }).to_string();
        let request = Request::builder().method(poem::http::Method::POST).content_type("application/json");
        let request = query.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        self.send(request.uri_str("/graphql").body(body)).await
    }

    /// Asks for something that must come without errors, and answers with `data`.
    ///
    /// # Panics
    /// If there are errors.
    pub async fn data(&self, query: &str) -> Value {
        self.data_with(query, json!({})).await
    }

    /// As [`Client::data`], with variables.
    ///
    /// # Panics
    /// If there are errors.
    pub async fn data_with(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask_with(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}\nanswered\n{answer:#}");
        answer["data"].take()
    }

    /// Sends a request as it is, whose answer may be no text, and answers with headers and body.
    ///
    /// # Panics
    /// If the answer breaks off.
    pub async fn send_bytes(&self, request: Request) -> (HeaderMap, Vec<u8>) {
        let (parts, body) = self.routes.get_response(request).await.into_parts();
        (parts.headers, body.into_vec().await.expect("a whole answer"))
    }

    /// Sends any request.
    ///
    /// # Panics
    /// If the answer breaks off.
    pub async fn send(&self, mut request: Request) -> Answer {
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().expect("a token is ASCII");
            request.headers_mut().insert(poem::http::header::AUTHORIZATION, value);
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.parse().expect("a header's value"));
        }
        if let Some(kept) = &self.cookies {
            let kept = kept.lock().expect("nobody panicked");
            let line: Vec<_> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if !line.is_empty() {
                let value = line.join("; ").parse().expect("cookies are ASCII");
                request.headers_mut().insert(poem::http::header::COOKIE, value);
            }
        }
        let response = self.routes.get_response(request).await;
        let (parts, body) = response.into_parts();
        let set = parts.headers.get_all("set-cookie").iter();
        let cookies: Vec<_> = set.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
        for cookie in &cookies {
            let Some((name, rest)) = cookie.split_once('=') else { continue };
            let value = rest.split(';').next().unwrap_or_default();
            self.set_cookie(name, value);
            if let Some(kept) = self.cookies.as_ref().filter(|_| cookie.contains("Max-Age=0;")) {
                kept.lock().expect("nobody panicked").remove(name);
            }
        }
        let header =
            |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Answer {
            status: parts.status,
            media_type: header("content-type"),
            request_id: header("x-request-id"),
            headers: parts.headers.clone(),
            cookies,
            text: body.into_string().await.expect("a whole answer in UTF-8"),
        }
    }
}
