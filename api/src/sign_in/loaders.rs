//! What belongs to accounts, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    model::{AccountState, Session, SignInRecord},
    store,
};
use crate::{
    access::{Personal, tags},
    accounts::{model::Token, store as accounts},
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::AccountId,
};

/// The states of accounts.
pub(crate) struct States(pub(crate) Db);

impl Fetch for States {
    type Key = AccountId;
    type Value = Option<Arc<AccountState>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = store::states(&self.0, keys).await?;
        Ok(found.into_iter().map(|state| (state.id, Some(Arc::new(state)))).collect())
    }
}

/// The sessions of accounts that have not been revoked, the latest first.
pub(crate) struct Sessions(pub(crate) Db);

impl Fetch for Sessions {
    type Key = AccountId;
    type Value = Personal<tags::Device, Arc<Vec<Session>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = grouped(store::sessions(&self.0, keys).await?);
        Ok(found.into_iter().map(|(account, sessions)| (account, sessions.into())).collect())
    }
}

/// The tokens of accounts that have not been revoked, the latest first.
pub(crate) struct Tokens(pub(crate) Db);

impl Fetch for Tokens {
    type Key = AccountId;
    type Value = Personal<tags::Account, Arc<Vec<Token>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = grouped(accounts::tokens(&self.0, keys).await?);
        Ok(found.into_iter().map(|(account, tokens)| (account, tokens.into())).collect())
    }
}

/// Pages of sign-ins, the latest first.
pub(crate) struct SignInPages(pub(crate) Db);

impl Fetch for SignInPages {
    type Key = (AccountId, PageRequest<TimeKey>);
    type Value = Personal<tags::Device, Arc<Page<SignInRecord>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, accounts) in by_request(keys) {
            let rows = store::sign_in_pages(&self.0, &accounts, &request).await?;
            found.extend(pages(&request, accounts, rows).into_iter().map(|(key, page)| (key, page.into())));
        }
        Ok(found)
    }
}
