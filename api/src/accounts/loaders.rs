//! People by id, and what the viewer is to them, in batches.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::OnceCell;

use super::{
    model::{Account, Membership},
    store,
};
use crate::{
    access::{Relation, Viewer},
    batch::{Fetch, grouped},
    db::{Db, DbError},
    ids::{AccountId, CourseId, TopicId},
};

/// Accounts by id.
pub(crate) struct Accounts(pub(crate) Db);

impl Fetch for Accounts {
    type Key = AccountId;
    type Value = Option<Arc<Account>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let found = store::by_ids(&self.0, keys).await?;
        Ok(found.into_iter().map(|account| (account.id, Some(Arc::new(account)))).collect())
    }
}

/// The goals of learners.
pub(crate) struct Goals(pub(crate) Db);

impl Fetch for Goals {
    type Key = AccountId;
    type Value = Arc<Vec<TopicId>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        Ok(grouped(store::goals(&self.0, keys).await?))
    }
}

/// What the viewer is to each course, read once in a request.
pub(crate) struct Memberships {
    db: Db,
    viewer: Viewer,
    read: OnceCell<HashMap<CourseId, Membership>>,
}

impl Memberships {
    pub(crate) fn new(db: Db, viewer: Viewer) -> Self {
        Self { db, viewer, read: OnceCell::new() }
    }

    pub(crate) async fn all(&self) -> Result<&HashMap<CourseId, Membership>, DbError> {
        self.read
            .get_or_try_init(async || match self.viewer.id() {
                Some(account) => store::memberships(&self.db, account).await,
                None => Ok(HashMap::new()),
            })
            .await
    }
}

/// What the viewer is to each person. The same person has the same relation from every path.
pub(crate) struct Relations {
    pub(crate) db: Db,
    pub(crate) viewer: Viewer,
    pub(crate) memberships: Arc<Memberships>,
}

/// A relation for a [`Fetch`]: whoever is not found is a stranger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found(pub(crate) Relation);

impl Default for Found {
    fn default() -> Self {
        Self(Relation::Stranger)
    }
}

impl Fetch for Relations {
    type Key = AccountId;
    type Value = Found;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Found>, DbError> {
        let others: Vec<_> = keys.iter().copied().filter(|person| !self.viewer.is(*person)).collect();
        let mut relations: HashMap<_, _> = keys
            .iter()
            .filter(|person| self.viewer.is(**person))
            .map(|person| (*person, Found(Relation::Oneself)))
            .collect();
        if others.is_empty() {
            return Ok(relations);
        }
        let teachers: HashSet<_> = store::teachers(&self.db, &others).await?.into_iter().collect();
        relations.extend(teachers.into_iter().map(|person| (person, Found(Relation::Audience))));

        let memberships = self.memberships.all().await?;
        if !memberships.is_empty() {
            for (person, course) in store::takers(&self.db, &others, memberships.keys().copied()).await? {
                let relation = match memberships.get(&course) {
                    Some(Membership::Staff) => Relation::Staff,
                    _ => Relation::Classmate,
                };
                let closest = relations.entry(person).or_insert(Found(relation));
                closest.0 = closest.0.min(relation);
            }
        }
        Ok(relations)
    }
}
