//! Compressed answers: Brotli, Zstandard or gzip, as `Accept-Encoding` prefers.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use flate2::{Compression, write::GzEncoder};
use poem::{
    Endpoint, Request, Response,
    http::{HeaderMap, HeaderValue, header},
};
use tokio::task::spawn_blocking;

use super::{accept::Coding, settings::HttpSettings};

/// From this size on, other requests would wait for it.
const LARGE: usize = 32 << 10;
/// Media types that become smaller. Not `text/event-stream`: an event would wait until there are enough of them.
const COMPRESSIBLE: [&str; 7] = [
    "application/json",
    "application/graphql-response+json",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
    "image/svg+xml",
];

/// Marks an answer that is not compressed, whatever its size: it holds secrets, and what the client sent stands in it, too. The
/// length of such an answer, compressed, would tell somebody who tries values how much of the secret she has guessed.
#[derive(Clone, Copy)]
pub(super) struct Secret;

/// How an answer of this type and size is compressed, if it is.
pub(super) fn coding(headers: &HeaderMap, media_type: &str, length: usize, settings: &HttpSettings) -> Option<Coding> {
    let least = settings.compress_bytes as usize;
    let fits = least > 0 && length >= least && is_compressible(media_type);
    fits.then(|| Coding::read(headers)).flatten()
}

fn is_compressible(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    COMPRESSIBLE.iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// Compresses the answer where that is wanted and worth it.
pub(super) async fn compressed<E: Endpoint>(next: Arc<E>, request: Request, settings: &HttpSettings) -> Response {
    let accepts: HeaderMap = request
        .headers()
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .map(|value| (header::ACCEPT_ENCODING, value.clone()))
        .collect();
    let mut response = next.get_response(request).await;
    let media_type = response.content_type().unwrap_or_default().to_owned();
    if settings.compress_bytes == 0
        || !is_compressible(&media_type)
        || response.headers().contains_key(header::CONTENT_ENCODING)
        || response.extensions().get::<Secret>().is_some()
    {
        return response;
    }
    vary(&mut response, "accept-encoding");
    // Nothing is gathered for a client who wants the answer as it is.
    if Coding::read(&accepts).is_none() {
        return response;
    }
    let body = match response.take_body().into_bytes().await {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer broke off");
            return super::endpoint::failed();
        }
    };
    let Some(coding) = coding(&accepts, &media_type, body.len(), settings) else {
        response.set_body(body);
        return response;
    };
    let packed = if body.len() < LARGE {
        pack(coding, &body)
    } else {
        let body = body.clone();
        spawn_blocking(move || pack(coding, &body)).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    };
    match packed {
        Ok(packed) => {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.set_body(packed);
        }
        Err(error) => {
            tracing::error!(%error, coding = coding.name(), "an answer could not be compressed");
            response.set_body(body);
        }
    }
    response
}

/// Adds a header's name to those by which an answer differs.
pub(super) fn vary(response: &mut Response, name: &'static str) {
    let lines = response.headers().get_all(header::VARY).iter().filter_map(|line| line.to_str().ok());
    let known = lines.flat_map(|line| line.split(',')).any(|known| known.trim().eq_ignore_ascii_case(name));
    if !known {
        response.headers_mut().append(header::VARY, HeaderValue::from_static(name));
    }
}

/// At the levels that are meant for answers that are made anew each time.
fn pack(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Zstd => zstd::bulk::compress(body, 3),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(5));
            encoder.write_all(body)?;
            encoder.finish()
        }
        Coding::Brotli => {
            let mut packed = Vec::with_capacity(body.len() / 4);
            let parameters =
                brotli::enc::BrotliEncoderParams { quality: 4, lgwin: 20, size_hint: body.len(), ..Default::default() };
            brotli::BrotliCompress(&mut &*body, &mut packed, &parameters)?;
            Ok(packed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_packed_is_smaller_and_unpacks_to_the_same() {
        let body = br#"{"data":{"courses":[{"title":"Living Soil"}]}}"#.repeat(400);
        let (mut gzip, mut brotli) = (Vec::new(), Vec::new());
        let packed = pack(Coding::Gzip, &body).unwrap();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut gzip).unwrap();
        let packed_with_brotli = pack(Coding::Brotli, &body).unwrap();
        brotli::BrotliDecompress(&mut &packed_with_brotli[..], &mut brotli).unwrap();
        let packed_with_zstd = pack(Coding::Zstd, &body).unwrap();
        let zstd = zstd::bulk::decompress(&packed_with_zstd, body.len()).unwrap();
        assert!(gzip == body && brotli == body && zstd == body);
        let sizes = [packed.len(), packed_with_brotli.len(), packed_with_zstd.len()];
        assert!(sizes.iter().all(|size| *size < body.len() / 20), "{sizes:?}");
    }

    #[test]
    fn events_are_not_held_back() {
        assert!(is_compressible("application/graphql-response+json; charset=utf-8"));
        assert!(!is_compressible("text/event-stream"));
    }
}
