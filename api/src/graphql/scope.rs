//! What one request works with.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

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
    /// How many more things of lists the answer may hold.
    room: AtomicI64,
}

/// So many things of lists an answer holds at most. A short query that goes round in circles could ask for
/// more than there is memory.
const MAX_THINGS: i64 = 50_000;

impl Scope {
    /// For one request.
    pub fn new(app: App, viewer: Viewer) -> Self {
        let loaders = ArcSwap::from_pointee(Loaders::new(&app, &viewer));
        Self { viewer, app, loaders, room: AtomicI64::new(MAX_THINGS) }
    }

    /// The loaders.
    pub(crate) fn load(&self) -> Arc<Loaders> {
        self.loaders.load_full()
    }

    /// Forgets what was read: called after a write, so that its payload shows the new state.
    pub(crate) fn forget(&self) {
        self.loaders.store(Arc::new(Loaders::new(&self.app, &self.viewer)));
    }

    /// Makes room for a list in the answer: called for each list before its things are resolved.
    pub(crate) fn make_room(&self, things: usize) -> Result<(), Fault> {
        if self.room.fetch_sub(things as i64, Ordering::Relaxed) < things as i64 {
            return Err(Fault::too_large(MAX_THINGS));
        }
        Ok(())
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
