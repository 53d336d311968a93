//! What one request works with.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_graphql::Context;

use super::{errors::Fault, loaders::Loaders};
use crate::{access::Viewer, app::App, ids::AccountId};

/// A request's viewer, services and loaders. Put into the request's data.
pub struct Scope {
    /// Who asks.
    pub viewer: Viewer,
    pub(crate) app: App,
    loaders: ArcSwap<Loaders>,
}

impl Scope {
    /// For one request.
    pub fn new(app: App, viewer: Viewer) -> Self {
        let loaders = ArcSwap::from_pointee(Loaders::new(&app.db, &viewer));
        Self { viewer, app, loaders }
    }

    /// The loaders.
    pub(crate) fn load(&self) -> Arc<Loaders> {
        self.loaders.load_full()
    }

    /// Forgets what was read: called after a write, so that its payload shows the new state.
    pub(crate) fn forget(&self) {
        self.loaders.store(Arc::new(Loaders::new(&self.app.db, &self.viewer)));
    }

    /// The viewer's account, or the error that asks to sign in.
    pub(crate) fn account(&self) -> Result<AccountId, Fault> {
        self.viewer.id().ok_or_else(Fault::unauthenticated)
    }
}

/// The scope of the request that a resolver works for.
pub(crate) fn scope<'a>(ctx: &Context<'a>) -> &'a Scope {
    ctx.data_unchecked::<Scope>()
}
