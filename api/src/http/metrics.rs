//! The figures, for Prometheus: on an address of their own, which the public does not reach.

use std::time::Duration;

use poem::{Endpoint, EndpointExt as _, Request, Response, Route, endpoint::make, http::StatusCode, http::header};

use super::plain;
use crate::{app::App, observe::Now};

/// So long the database may take for its part. The figures are told without it, too: just then they are needed.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/metrics`, and nothing else.
pub fn metrics(app: &App) -> impl Endpoint<Output = Response> + use<> {
    let app = app.clone();
    let metrics = make(move |request: Request| {
        let app = app.clone();
        async move {
            let accept = request.header(header::ACCEPT).unwrap_or_default();
            let open_metrics = accept.contains("application/openmetrics-text");
            let (text, media_type) = app.observe.written(&now(&app).await, &app.db, open_metrics);
            plain(StatusCode::OK, media_type, text)
        }
    });
    Route::new().at("/metrics", poem::get(metrics)).map_to_response()
}

async fn now(app: &App) -> Now {
    let now = app.clock.now();
    let seconds_since = |then: crate::time::Timestamp| (now.0 - then.0) as f64 / 1e6;
    let outbox = tokio::time::timeout(PATIENCE, app.outbox.depth(&app.db)).await;
    let outbox = outbox.ok().and_then(Result::ok);
    Now {
        connections: app.live.connections(),
        subscriptions: app.live.subscriptions(),
        dropped: app.live.dropped(),
        database_up: outbox.is_some(),
        outbox: outbox.map(|(depth, oldest)| (depth, oldest.map_or(0.0, seconds_since))),
        model: app.feed.model_in_use().map(|(id, trained_at)| (id.0.to_string(), seconds_since(trained_at))),
    }
}
