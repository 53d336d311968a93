//! Preferences of people, in batches.

use std::collections::HashMap;

use super::store;
use crate::{
    access::{Personal, tags},
    batch::Fetch,
    db::{Db, DbError},
    ids::AccountId,
};

/// How people want the interface; whoever has not said so, as the interface likes.
pub(crate) struct Preferences(pub(crate) Db);

impl Fetch for Preferences {
    type Key = AccountId;
    type Value = Personal<tags::Interaction, super::model::Preferences>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = store::preferences(&self.0, keys).await?;
        Ok(found.into_iter().map(|(account, preferences)| (account, preferences.into())).collect())
    }
}
