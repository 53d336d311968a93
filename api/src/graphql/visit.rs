//! Where a request comes from, and which cookies its answer sets.

use std::sync::{Mutex, PoisonError};

use async_graphql::Context;

use super::errors::Fault;
use crate::{
    accounts::secret::random_bytes,
    sign_in::model::{Device, Origin, SessionCookie},
};

/// The cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "__Host-stoa-session";
/// The cookie that a browser is known by.
pub(crate) const DEVICE_COOKIE: &str = "__Host-stoa-device";
/// For how long a browser is known, in seconds.
const DEVICE_AGE: u32 = 365 * 86_400;

/// A request's origin, and the cookies of its answer. Put into the request's data.
#[derive(Default)]
pub(crate) struct Visit {
    pub(crate) origin: Origin,
    /// Whether the answer can't set any.
    is_without_cookies: bool,
    cookies: Mutex<Vec<String>>,
}

impl Visit {
    /// From somewhere.
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, ..Self::default() }
    }

    /// From somewhere, by a way on which no cookies are set.
    pub(crate) fn without_cookies(origin: Origin) -> Self {
        Self { origin, is_without_cookies: true, ..Self::default() }
    }

    /// To be asked before something is done whose only outcome is a cookie.
    pub(crate) fn require_cookies(&self) -> Result<(), Fault> {
        if self.is_without_cookies { Err(Fault::request_needed()) } else { Ok(()) }
    }

    /// Gives a browser that is new here something to be known by; `None` if it is known.
    pub(crate) fn know(&mut self) -> Option<Device> {
        let new = self.origin.device.is_none().then(|| Device(random_bytes()));
        self.origin.device = self.origin.device.or(new);
        new
    }

    /// Gives the browser its session, and, if it is new here, what it is known by.
    pub(crate) fn give_session(&self, session: &SessionCookie, days: u16, device: Option<Device>) {
        self.set(SESSION_COOKIE, session.secret_text(), u32::from(days) * 86_400);
        if let Some(device) = device {
            self.set(DEVICE_COOKIE, &uuid::Uuid::from_bytes(device.0).simple().to_string(), DEVICE_AGE);
        }
    }

    /// Takes the session from the browser.
    pub(crate) fn take_session(&self) {
        self.set(SESSION_COOKIE, "", 0);
    }

    /// The values of the `Set-Cookie` headers.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last one of a name counts.
    fn set(&self, name: &str, value: &str, seconds: u32) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|cookie| !cookie.starts_with(&format!("{name}=")));
        cookies.push(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"));
    }
}

/// The visit that a resolver works for.
pub(crate) fn visit<'a>(ctx: &Context<'a>) -> &'a Visit {
    ctx.data_unchecked::<std::sync::Arc<Visit>>()
}
