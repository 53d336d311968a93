//! Talking to the provider: what it says of itself, its keys, and a code for a token.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use poem::http::{Method, Request, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use super::{
    model::{OidcError, OidcSettings, OidcSettingsError},
    token::{Key, PublishedKey},
};
use crate::time::{Clock, Timestamp};

/// So long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of a provider is longer, in bytes.
const LONGEST: usize = 1 << 20;
/// So long what it says of itself is believed, in seconds.
const KNOWN_FOR: i64 = 3_600;
/// So often it is asked for keys that are not known, at most, in seconds.
const ASK_AGAIN_AFTER: i64 = 60;

/// What the provider says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct PublishedKeys {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

/// What is known of the provider.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) metadata: Arc<Metadata>,
    pub(super) keys: Arc<[Key]>,
    asked_at: Timestamp,
}

/// The provider.
pub(super) struct Provider {
    settings: OidcSettings,
    clock: Clock,
    client: Client<HttpsConnector<HttpConnector>, String>,
    known: Mutex<Option<Known>>,
}

impl Provider {
    pub(super) fn new(settings: OidcSettings, clock: Clock) -> Result<Self, OidcSettingsError> {
        for (name, url) in [("issuer", &settings.issuer), ("redirect_url", &settings.redirect_url)] {
            if !is_safe(url) {
                return Err(OidcSettingsError::Url { name, url: url.clone() });
            }
        }
        if !settings.scopes.split_whitespace().any(|scope| scope == "openid") {
            return Err(OidcSettingsError::Scopes(settings.scopes));
        }
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(OidcSettingsError::Certificates)?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { settings, clock, client, known: Mutex::new(None) })
    }

    pub(super) fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// What is known of the provider; asked for if that is long ago.
    pub(super) async fn known(&self) -> Result<Known, OidcError> {
        self.known_since(KNOWN_FOR).await
    }

    /// As [`Provider::known`], because a key is missing.
    pub(super) async fn known_anew(&self) -> Result<Known, OidcError> {
        self.known_since(ASK_AGAIN_AFTER).await
    }

    async fn known_since(&self, seconds: i64) -> Result<Known, OidcError> {
        // Those who come meanwhile wait for the one answer.
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = known.as_ref().filter(|known| now.seconds() - known.asked_at.seconds() < seconds) {
            return Ok(known.clone());
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let metadata: Metadata = self.get(&format!("{issuer}/.well-known/openid-configuration")).await?;
        if metadata.issuer != self.settings.issuer {
            return Err(OidcError::Answer("it names another issuer than the configuration does"));
        }
        if ![&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri]
            .into_iter()
            .all(|url| is_safe(url))
        {
            return Err(OidcError::Answer("it names an address without https"));
        }
        let published: PublishedKeys = self.get(&metadata.jwks_uri).await?;
        // A key of an unknown kind is no reason to refuse the others.
        let keys =
            published.keys.into_iter().filter_map(|key| serde_json::from_value::<PublishedKey>(key).ok()?.read());
        let fresh = Known { metadata: Arc::new(metadata), keys: keys.collect(), asked_at: now };
        *known = Some(fresh.clone());
        Ok(fresh)
    }

    /// The identity token for a code; `None` if the provider does not take the code.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<Option<String>, OidcError> {
        let settings = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &settings.redirect_url),
            ("code_verifier", verifier),
        ];
        let mut request = Request::builder().method(Method::POST).uri(&metadata.token_endpoint);
        let by_header = metadata
            .token_endpoint_auth_methods_supported
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"));
        match &settings.client_secret {
            Some(secret) if by_header => {
                // RFC 6749, section 2.3.1: both are encoded as in a form first.
                let pair = format!("{}:{}", encoded(&settings.client_id), encoded(secret));
                request = request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
            }
            Some(secret) => form.extend([("client_id", settings.client_id.as_str()), ("client_secret", secret)]),
            None => form.push(("client_id", &settings.client_id)),
        }
        let body = serde_urlencoded::to_string(&form).map_err(|_| OidcError::Answer("no form"))?;
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(|_| OidcError::Answer("its token endpoint is no address"))?;
        let (status, text) = self.send(request).await?;
        match status {
            StatusCode::OK => Ok(Some(read::<TokenAnswer>(&text)?.id_token)),
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN => Ok(None),
            StatusCode::UNAUTHORIZED => Err(OidcError::Answer("it does not know our client_id and client_secret")),
            _ => Err(OidcError::Away),
        }
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        let request = Request::builder().uri(url).header(header::ACCEPT, "application/json").body(String::new());
        let (status, text) = self.send(request.map_err(|_| OidcError::Answer("it names no address"))?).await?;
        if status == StatusCode::OK { read(&text) } else { Err(OidcError::Away) }
    }

    async fn send(&self, request: Request<String>) -> Result<(StatusCode, Vec<u8>), OidcError> {
        let exchange = async {
            let response = self.client.request(request).await.map_err(|_| OidcError::Away)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|_| OidcError::Away)?;
            Ok((status, body.to_bytes().to_vec()))
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| OidcError::Away)?
    }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, OidcError> {
    serde_json::from_slice(text).map_err(|_| OidcError::Answer("it is not the JSON that it should be"))
}

fn encoded(text: &str) -> String {
    serde_urlencoded::to_string([(text, "")]).map(|pair| pair.trim_end_matches('=').to_owned()).unwrap_or_default()
}

/// Nobody listens on the way: TLS, or this machine.
fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<poem::http::Uri>() else { return false };
    match uri.scheme_str() {
        Some("https") => uri.host().is_some(),
        Some("http") => matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for safe in ["https://id.example/realm", "http://localhost:80/x", "http://127.0.0.1:9"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_one in ["http://id.example", "http://localhost.example", "ftp://localhost", "id.example", ""] {
            assert!(!is_safe(unsafe_one), "{unsafe_one}");
        }
    }
}
