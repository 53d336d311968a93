//! Traces: a request is one, from its arrival down to statements and batches.
//!
//! Whether a trace of it is sent is decided once, where it begins. Below that, a span is made only if there is a trace, so
//! that requests without one cost what they cost before.

use poem::http::HeaderMap;
use tracing::Span;

use super::{ObserveSettings, watch::TRACE};

/// Whether traces are sent at all.
pub(super) fn is_on(settings: &ObserveSettings) -> bool {
    cfg!(feature = "otlp") && !settings.otlp_endpoint.is_empty()
}

/// The span of a request, if there is a trace of it. It belongs to the trace that the request names (`traceparent`, W3C).
/// Whether a trace is sent is up to us, unless whoever sends the header is trusted to decide it: a stranger could fill
/// the collector.
pub(crate) fn of_request(
    headers: &HeaderMap,
    (method, route): (&str, &str),
    settings: &ObserveSettings,
) -> Option<Span> {
    if !is_on(settings) {
        return None;
    }
    let span = tracing::debug_span!(
        target: TRACE,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        request.id = headers.get("x-request-id").and_then(|id| id.to_str().ok()),
    );
    begin(&span, headers, settings);
    is_sampled(&span).then_some(span)
}

#[cfg(feature = "otlp")]
mod open_telemetry {
    use opentelemetry::{
        Context,
        propagation::TextMapPropagator as _,
        trace::{SpanContext, TraceContextExt as _, TraceFlags},
    };
    use opentelemetry_http::HeaderExtractor;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use poem::http::HeaderMap;
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    use super::ObserveSettings;

    pub(super) fn begin(span: &Span, headers: &HeaderMap, settings: &ObserveSettings) {
        let named = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let named = named.span().span_context().clone();
        if !named.is_valid() {
            return;
        }
        let sampled = if settings.trust_traceparent { named.is_sampled() } else { is_drawn(settings.otlp_ratio) };
        let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let parent = SpanContext::new(named.trace_id(), named.span_id(), flags, true, named.trace_state().clone());
        // It fails if nobody takes traces, and then there is nothing to be done.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }

    pub(in crate::observe) fn is_sampled(span: &Span) -> bool {
        !span.is_disabled() && span.context().span().span_context().is_sampled()
    }

    /// A draw of our own: the trace's id is the stranger's to choose.
    fn is_drawn(ratio: f64) -> bool {
        let drawn = f64::from(u32::from_be_bytes(crate::accounts::secret::random_bytes()));
        drawn < ratio * (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(not(feature = "otlp"))]
mod open_telemetry {
    pub(super) fn begin(_: &tracing::Span, _: &poem::http::HeaderMap, _: &super::ObserveSettings) {}

    pub(in crate::observe) fn is_sampled(_: &tracing::Span) -> bool {
        false
    }
}

use open_telemetry::begin;
pub(super) use open_telemetry::is_sampled;
