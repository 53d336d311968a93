//! Whose request it is, and where it comes from.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use poem::{
    Addr, Request,
    http::{StatusCode, header},
};

use super::{deadline::Deadline, endpoint::Refused};
use crate::{
    accounts::{AuthenticationError, model::Identified},
    app::App,
    db::DbError,
    graphql::visit::{DEVICE_COOKIE, SESSION_COOKIE, Visit},
    sign_in::model::{Device, Origin},
};

/// What somebody came with, to show who she is. It is a secret, and so is not printed.
#[derive(Clone, Default)]
pub(super) enum Pass {
    /// Nothing: nobody.
    #[default]
    Nothing,
    /// A bearer token.
    Token(String),
    /// A session's cookie.
    Session(String),
}

/// Whose request it is. Without token and cookie an anonymous viewer. A token that is not valid is refused, since
/// whoever sends one wants to be somebody; a cookie that is not valid is taken away, since a browser can't mend it.
pub(super) async fn viewer(app: &App, request: &Request) -> Result<(Identified, Arc<Visit>), Refused> {
    let visit = Arc::new(Visit::new(origin(app, request)));
    let pass = pass(request)?;
    let network = visit.origin.network.as_deref();
    let viewer = if let Some(viewer) = identify(app, &pass, network).await? {
        viewer
    } else {
        visit.take_session();
        Identified::default()
    };
    Ok((viewer, visit))
}

/// What a request comes with. A session's cookie counts from a page of this site only.
pub(super) fn pass(request: &Request) -> Result<Pass, Refused> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        return bearer(value.to_str().unwrap_or_default());
    }
    let Some(session) = cookie(request, SESSION_COOKIE) else { return Ok(Pass::Nothing) };
    if is_same_origin(request) {
        return Ok(Pass::Session(session.to_owned()));
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "CROSS_SITE",
        "a session is for pages of this site: from elsewhere, send a token as `Authorization: Bearer …`",
    ))
}

/// The token in the value of `Authorization`.
pub(super) fn bearer(value: &str) -> Result<Pass, Refused> {
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Pass::Token(token.to_owned())),
        None => Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "the Authorization header must be `Bearer` and a token",
        )),
    }
}

/// Who that is now; `None` for a session that is over.
pub(super) async fn identify(app: &App, pass: &Pass, network: Option<&str>) -> Result<Option<Identified>, Refused> {
    // The time that the request itself may take begins when it is known whose it is.
    Deadline::new(&app.limits, false).within(look_up(app, pass, network)).await?
}

async fn look_up(app: &App, pass: &Pass, network: Option<&str>) -> Result<Option<Identified>, Refused> {
    match pass {
        Pass::Nothing => Ok(Some(Identified::default())),
        Pass::Session(cookie) => app.sign_in.authenticate(cookie, network).await.map_err(|error| unavailable(&error)),
        Pass::Token(token) => app.accounts.authenticate(token, network).await.map(Some).map_err(|error| match error {
            AuthenticationError::Invalid => {
                Refused::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", error.to_string())
            }
            AuthenticationError::Database(error) => unavailable(&error),
        }),
    }
}

fn unavailable(error: &DbError) -> Refused {
    tracing::error!(%error, "a token or session could not be looked up");
    if error.is_passing() {
        Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "the database is busy or away: try again in a moment",
        )
    } else {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
    }
}

fn text<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let lines = request.headers().get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// Whether a page of this site sent it, or no page at all. The cookie is `SameSite=Strict`; but a site is more than one
/// origin.
fn is_same_origin(request: &Request) -> bool {
    match (text(request, "sec-fetch-site"), text(request, "origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(request, "host");
            origin.split_once("://").is_some_and(|(_, from)| host.is_some_and(|host| host.eq_ignore_ascii_case(from)))
        }
        (None, None) => true,
    }
}

/// The address that a request comes from.
pub(super) fn address(app: &App, request: &Request) -> Option<IpAddr> {
    let peer = match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    };
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let forwarded: Vec<_> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
    client_address(peer, &forwarded, &app.sign_in.settings().trusted_proxies)
}

/// Where a request comes from.
pub(super) fn origin(app: &App, request: &Request) -> Origin {
    Origin {
        client_label: client(text(request, "user-agent").unwrap_or_default()),
        network: address(app, request).map(shortened),
        device: cookie(request, DEVICE_COOKIE)
            .and_then(|value| uuid::Uuid::try_parse(value).ok())
            .map(|id| Device(id.into_bytes())),
    }
}

/// The address of the client: the peer's, or, behind proxies that are trusted, the last that none of them is.
fn client_address(peer: Option<IpAddr>, forwarded: &[&str], trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer?.to_canonical();
    for entry in forwarded.iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        // Some proxies write the port, too.
        match entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip())) {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    Some(address)
}

/// The network of an address: enough to tell that somebody is elsewhere, too little to find her house.
fn shortened(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// The browser and the system, by the words that every browser puts into its `User-Agent`; other programs by their
/// first word.
fn client(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find = |words: &[(&str, &'static str)]| {
        words.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => {
            let word = user_agent.split(['/', ' ']).next().unwrap_or_default();
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
            if word.is_empty() { "unknown".to_owned() } else { word }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_by_browser_and_system() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0";
        assert_eq!(client(firefox), "Firefox on Linux");
        assert_eq!(client(edge), "Edge on Windows");
        assert_eq!(client("curl/8.5.0"), "curl");
        assert_eq!(client("<b>"), "b");
        assert_eq!(client(""), "unknown");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let peer = Some("10.0.0.9".parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let address = |forwarded: &[&str], trusted: &[IpNet]| client_address(peer, forwarded, trusted).map(shortened);
        assert_eq!(address(&["203.0.113.7"], &[]).unwrap(), "10.0.0.0/24");
        assert_eq!(address(&["198.51.100.1", "203.0.113.7", "10.0.0.8"], &trusted).unwrap(), "203.0.113.0/24");
        assert_eq!(address(&["2001:db8:1:2::3"], &trusted).unwrap(), "2001:db8:1::/48");
        assert_eq!(address(&["203.0.113.7:4711"], &trusted).unwrap(), "203.0.113.0/24");
        assert_eq!(address(&["[2001:db8:1:2::3]:4711"], &trusted).unwrap(), "2001:db8:1::/48");
        assert_eq!(address(&["nonsense"], &trusted).unwrap(), "10.0.0.0/24");
    }
}
