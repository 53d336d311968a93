//! Asking over HTTP, within limits.

use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use poem::http::{HeaderName, HeaderValue, Request, StatusCode, request::Builder};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::{
    ExternalError,
    settings::{EngineSettings, EngineSettingsError},
};

/// No answer of an engine is longer, in bytes: fifty courses with a reason each are a tenth of it.
const LONGEST: usize = 256 * 1024;
/// So many requests are under way to one engine at once: one that is slow must not gather them all.
const AT_ONCE: usize = 64;

/// Asks one engine. Redirects are not followed: what is said is for the address that was configured.
pub(super) struct Caller {
    client: Transport,
    secret: Option<(HeaderName, HeaderValue)>,
    patience: Duration,
    room: Semaphore,
}

/// Certificates are read only where they are needed.
enum Transport {
    Plain(Client<HttpConnector, String>),
    Tls(Client<HttpsConnector<HttpConnector>, String>),
}

impl Caller {
    /// `secret` is the header that shows the token.
    pub(super) fn new(
        name: &str,
        settings: &EngineSettings,
        secret: Option<(HeaderName, String)>,
    ) -> Result<Self, EngineSettingsError> {
        let patience = Duration::from_millis(settings.timeout_ms);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(patience));
        connector.set_nodelay(true);
        let client = if settings.is_https() {
            connector.enforce_http(false);
            let connector = HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| EngineSettingsError::Certificates(name.to_owned(), error))?
                .https_only()
                .enable_http1()
                .wrap_connector(connector);
            Transport::Tls(Client::builder(TokioExecutor::new()).build(connector))
        } else {
            Transport::Plain(Client::builder(TokioExecutor::new()).build(connector))
        };
        let secret = match secret {
            None => None,
            Some((header, text)) => {
                let mut value =
                    HeaderValue::from_str(&text).map_err(|_| EngineSettingsError::Token(name.to_owned()))?;
                value.set_sensitive(true);
                Some((header, value))
            }
        };
        Ok(Self { client, secret, patience, room: Semaphore::new(AT_ONCE) })
    }

    /// Runs a whole exchange, however many requests it has, in the one time that there is for it.
    pub(super) async fn in_time<T>(
        &self,
        exchange: impl Future<Output = Result<T, ExternalError>>,
    ) -> Result<T, ExternalError> {
        let Ok(_room) = self.room.try_acquire() else { return Err(ExternalError::Busy) };
        tokio::time::timeout(self.patience, exchange).await.unwrap_or(Err(ExternalError::TimedOut))
    }

    /// Sends a request and reads the JSON of an answer 200.
    pub(super) async fn ask<T: DeserializeOwned>(&self, request: Builder, body: String) -> Result<T, ExternalError> {
        let mut request: Request<String> = request.body(body).map_err(|_| ExternalError::Unreachable)?;
        if let Some((name, value)) = &self.secret {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let answer = match &self.client {
            Transport::Plain(client) => client.request(request).await,
            Transport::Tls(client) => client.request(request).await,
        };
        let answer = answer.map_err(|_| ExternalError::Unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(ExternalError::Status(answer.status().as_u16()));
        }
        let body = match Limited::new(answer.into_body(), LONGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(ExternalError::Answer("it is too long")),
            Err(_) => return Err(ExternalError::Unreachable),
        };
        // The parser's own words are left out: they may repeat what was sent.
        serde_json::from_slice(&body).map_err(|_| ExternalError::Answer("it is not the JSON that it should be"))
    }
}
