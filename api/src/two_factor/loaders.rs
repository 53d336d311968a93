//! Who has a second factor, in batches.

use std::collections::HashMap;

use super::{model::State, store};
use crate::{
    access::{Personal, tags},
    batch::Fetch,
    db::{Db, DbError},
    ids::AccountId,
};

/// The state of people's second factors.
pub(crate) struct SecondFactors(pub(crate) Db);

impl Fetch for SecondFactors {
    type Key = AccountId;
    type Value = Option<Personal<tags::Account, State>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = store::states(&self.0, keys).await?;
        Ok(found.into_iter().map(|(account, state)| (account, Some(state.into()))).collect())
    }
}
