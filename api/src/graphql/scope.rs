//! What one request works with.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use arc_swap::ArcSwap;
use async_graphql::Context;

use super::{errors::Fault, loaders::Loaders};
use crate::{
    access::{Client, Ledger, TokenScope, Viewer},
    accounts::{
        loaders::{Lens, Viewpoint},
        model::{Identified, SystemRole},
    },
    app::App,
    ids::AccountId,
};

/// A request's viewer, services and loaders. Put into the request's data.
pub struct Scope {
    /// Who asks.
    pub viewer: Viewer,
    pub(crate) app: App,
    lens: Option<Lens>,
    ledger: Ledger,
    loaders: ArcSwap<Loaders>,
    /// How many more things of lists the answer may hold.
    room: AtomicI64,
}

/// So many things of lists an answer holds at most. A short query that goes round in circles could ask for
/// more than there is memory.
const MAX_THINGS: i64 = 50_000;

impl Scope {
    /// For one request. What it looks at is noted in the ledger.
    pub(crate) fn new(app: App, by: &Identified, lens: Option<Lens>, ledger: Ledger) -> Self {
        let viewpoint = Viewpoint::new(&app, by, lens, ledger.clone());
        let loaders = ArcSwap::from_pointee(Loaders::new(&app, viewpoint));
        Self { viewer: by.viewer.clone(), app, lens, ledger, loaders, room: AtomicI64::new(MAX_THINGS) }
    }

    /// The loaders.
    pub(crate) fn load(&self) -> Arc<Loaders> {
        self.loaders.load_full()
    }

    /// Forgets what was read: called after a write, so that its payload shows the new state.
    pub(crate) fn forget(&self) {
        let by = Identified { viewer: self.viewer.clone(), holder: None };
        let viewpoint = Viewpoint::new(&self.app, &by, self.lens, self.ledger.clone());
        self.loaders.store(Arc::new(Loaders::new(&self.app, viewpoint)));
    }

    /// Makes room for a list in the answer: called for each list before its things are resolved.
    pub(crate) fn make_room(&self, things: usize) -> Result<(), Fault> {
        if self.room.fetch_sub(things as i64, Ordering::Relaxed) < things as i64 {
            return Err(Fault::too_large(MAX_THINGS));
        }
        Ok(())
    }

    /// Whether the viewer is this person, and does not look with somebody else's eyes.
    pub(crate) fn is_herself(&self, person: AccountId) -> bool {
        self.lens.is_none() && self.viewer.is(person) && self.viewer.has_scope(TokenScope::Read)
    }

    /// The viewer's session, if she came with one.
    pub(crate) fn session(&self) -> Option<uuid::Uuid> {
        let credential = self.viewer.credential()?;
        credential.id.filter(|_| credential.client == Client::Session)
    }

    /// The viewer's account, for something that needs this scope; or the error that says what is needed.
    pub(crate) fn account_for(&self, scope: TokenScope) -> Result<AccountId, Fault> {
        let account = self.viewer.id().ok_or_else(Fault::unauthenticated)?;
        if self.viewer.has_scope(scope) { Ok(account) } else { Err(Fault::scope_needed(scope)) }
    }

    /// The viewer's account and session, for something that no token may do.
    pub(crate) fn account_in_session(&self) -> Result<(AccountId, uuid::Uuid), Fault> {
        let account = self.account_for(TokenScope::Account)?;
        Ok((account, self.session().ok_or_else(Fault::session_needed)?))
    }

    /// The viewer's account, if she has one of these roles and it counts now.
    pub(crate) async fn holder_of(&self, roles: &[SystemRole]) -> Result<AccountId, Fault> {
        let account = self.account_for(TokenScope::People)?;
        let load = self.load();
        let known = load.viewpoint.known().await?;
        if roles.iter().any(|role| known.has_role(*role)) {
            return Ok(account);
        }
        let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        Err(Fault::forbidden(&format!("holders of the role {}", names.join(" or "))))
    }
}

/// The scope of the request that a resolver works for.
pub(crate) fn scope<'a>(ctx: &Context<'a>) -> &'a Scope {
    ctx.data_unchecked::<Scope>()
}
