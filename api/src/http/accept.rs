//! What a client wants to be answered in: the media type and the compression, by the weights that she gives them.

use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::endpoint::Refused;

/// In which media type the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `application/graphql-response+json`: the status tells whether the request was carried out.
    GraphQl,
    /// `application/json`: the status tells only whether it was a GraphQL request.
    Json,
}

impl Wanted {
    /// What `Accept` asks for. Who asks for nothing, or for anything, gets the older type: programs that don't know the
    /// newer one read statuses otherwise.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Refused> {
        let says_nothing = |line: &HeaderValue| line.as_bytes().iter().all(|byte| b" \t,".contains(byte));
        if headers.get_all(header::ACCEPT).iter().all(says_nothing) {
            return Ok(Self::Json);
        }
        let ranges: Vec<_> = weighted(headers, &header::ACCEPT).collect();
        let newer = fit(&ranges, "graphql-response+json");
        let older = fit(&ranges, "json");
        match (newer, older) {
            // Of the same weight, what is named comes before what is only allowed, and the newer type before the older.
            (Some(newer), older)
                if newer.how == How::Named && older.is_none_or(|older| newer.weight >= older.weight) =>
            {
                Ok(Self::GraphQl)
            }
            (Some(newer), older) if older.is_none_or(|older| newer.weight > older.weight) => Ok(Self::GraphQl),
            (_, Some(_)) => Ok(Self::Json),
            _ => Err(Refused::new(
                StatusCode::NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "answers come as application/graphql-response+json or application/json: let `Accept` have one of them",
            )),
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// How an answer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    /// In this order where a client has no preference.
    const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// What `Accept-Encoding` prefers of what there is; `None` for an answer as it is.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let codings: Vec<_> = weighted(headers, &header::ACCEPT_ENCODING).collect();
        let weight = |name: &str| {
            let find = |name: &str| codings.iter().find(|coding| coding.name.eq_ignore_ascii_case(name));
            find(name).or_else(|| find("*")).map_or(0, |coding| coding.weight)
        };
        // Where it is named, the answer as it is may be liked better.
        let plain = codings.iter().find(|coding| coding.name.eq_ignore_ascii_case("identity"));
        let least = plain.map_or(1, |plain| plain.weight.max(1));
        let mut found: Option<(u16, Self)> = None;
        for coding in Self::ALL {
            let weight =
                if coding == Self::Gzip { weight("gzip").max(weight("x-gzip")) } else { weight(coding.name()) };
            if weight >= least && found.is_none_or(|(most, _)| weight > most) {
                found = Some((weight, coding));
            }
        }
        found.map(|(_, coding)| coding)
    }

    /// As `Content-Encoding` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// One of the things that a header lists.
struct Weighted<'a> {
    name: &'a str,
    /// Parameters before the weight.
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths.
    weight: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// `*/*` or `application/*`.
    Allowed,
    Named,
}

#[derive(Clone, Copy)]
struct Fit {
    weight: u16,
    how: How,
}

/// How well `application/SUBTYPE` fits: what is said most exactly counts (RFC 9110, 12.5.1). `None` if it does not.
fn fit(ranges: &[Weighted], subtype: &str) -> Option<Fit> {
    let mut best: Option<(u8, Fit)> = None;
    for range in ranges {
        let Some((kind, sub)) = range.name.split_once('/') else { continue };
        let is_ours = kind.eq_ignore_ascii_case("application");
        let (exactness, how) = match sub {
            "*" if kind == "*" => (1, How::Allowed),
            "*" if is_ours => (2, How::Allowed),
            _ if is_ours && sub.eq_ignore_ascii_case(subtype) => (3 + range.parameters.len().min(9) as u8, How::Named),
            _ => continue,
        };
        // Other encodings than UTF-8 there are none; other parameters mean nothing.
        if range.parameters.iter().any(|(name, value)| name.eq_ignore_ascii_case("charset") && !is_utf8(value)) {
            continue;
        }
        if best.is_none_or(|(most, _)| exactness > most) {
            best = Some((exactness, Fit { weight: range.weight, how }));
        }
    }
    best.map(|(_, fit)| fit).filter(|fit| fit.weight > 0)
}

pub(super) fn is_utf8(charset: &str) -> bool {
    matches!(charset.trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

/// What a header lists, over all its lines. What can't be read is left out.
fn weighted<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Weighted<'a>> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut found = Weighted { name, parameters: Vec::new(), weight: 1_000 };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("q") {
                found.weight = thousandths(value)?;
                break;
            }
            found.parameters.push((name, value));
        }
        Some(found)
    })
}

/// `0.85` as 850: `0` or `1`, and up to three places.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || places.len() > 3 || !places.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let weight = whole.parse::<u16>().ok()? * 1_000 + format!("{places:0<3}").parse::<u16>().ok()?;
    (weight <= 1_000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_media_type_with_the_greatest_weight_is_served() {
        use Wanted::{GraphQl, Json};
        for (accept, expected) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphQl)),
            ("Application/GraphQL-Response+JSON", Some(GraphQl)),
            ("application/graphql-response+json; charset=utf-8", Some(GraphQl)),
            ("application/graphql-response+json; charset=\"UTF-8\"; q=0.9", Some(GraphQl)),
            ("application/graphql-response+json; charset=iso-8859-1", None),
            ("application/json, application/graphql-response+json", Some(GraphQl)),
            ("application/graphql-response+json,application/json;q=0.9", Some(GraphQl)),
            ("application/graphql-response+json;q=0.5, application/json", Some(Json)),
            ("application/graphql-response+json;q=0.5, */*", Some(Json)),
            ("application/graphql-response+json;q=0.5, */*;q=0.1", Some(GraphQl)),
            ("application/graphql-response+json, */*", Some(GraphQl)),
            ("application/json;q=0, */*", Some(GraphQl)),
            ("application/json;q=0, application/*;q=0", None),
            ("application/json;q=0.0", None),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Json)),
            ("text/html", None),
            ("text/event-stream", None),
            ("json", None),
            ("application/json;q=2", None),
            ("application/json;q=0.1234", None),
        ] {
            let wanted = Wanted::read(&headers(header::ACCEPT, accept));
            assert_eq!(wanted.ok(), expected, "{accept}");
        }
        assert_eq!(Wanted::read(&HeaderMap::new()).ok(), Some(Json));
    }

    #[test]
    fn the_coding_with_the_greatest_weight_is_used() {
        use Coding::{Brotli, Gzip, Zstd};
        for (accept, expected) in [
            ("", None),
            ("identity", None),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, zstd", Some(Zstd)),
            ("gzip", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("GZIP;q=0.4, br;q=0.3", Some(Gzip)),
            ("br;q=0, gzip;q=0.2, zstd;q=0.1", Some(Gzip)),
            ("*", Some(Brotli)),
            ("*;q=0.1, br;q=0", Some(Zstd)),
            ("*;q=0", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip", Some(Gzip)),
            ("gzip;q=0", None),
            ("deflate, compress", None),
        ] {
            assert_eq!(Coding::read(&headers(header::ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
        assert_eq!(Coding::read(&HeaderMap::new()), None);
    }
}
