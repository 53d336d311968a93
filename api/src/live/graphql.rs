//! How a subscription works in the graph.
//!
//! The field of a subscription is resolved many times: once when somebody subscribes, and once for each event, each time
//! with loaders of its own and a viewer who was asked for anew. So what its resolver asks before [`begun`] is asked for
//! every event: whoever may not subscribe any more is told nothing more.

pub(crate) mod notifications;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::Context;
use futures_util::stream;

use super::model::{Happening, Topic};

/// Why the field of a subscription is resolved. Put into the request's data.
#[derive(Default)]
pub(crate) struct Occasion {
    /// What has happened; `None` when somebody subscribes.
    happening: Option<Happening>,
    topics: Mutex<Vec<Topic>>,
    is_allowed: AtomicBool,
}

impl Occasion {
    /// Somebody subscribes.
    pub(crate) fn subscribing() -> Arc<Self> {
        Arc::default()
    }

    /// Something has happened.
    pub(crate) fn happened(happening: Happening) -> Arc<Self> {
        Arc::new(Self { happening: Some(happening), ..Self::default() })
    }

    /// Whether it is about an event, and not about subscribing.
    pub(crate) fn has_happened(&self) -> bool {
        self.happening.is_some()
    }

    /// What she wants to listen to.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether she may.
    pub(crate) fn is_allowed(&self) -> bool {
        self.is_allowed.load(Ordering::Relaxed)
    }
}

/// What a subscription's resolver gives: one payload for an event that concerns it, and nothing when somebody subscribes.
pub(crate) type Told<T> = stream::Iter<std::option::IntoIter<T>>;

/// One payload, or none.
pub(crate) fn told<T>(payload: Option<T>) -> Told<T> {
    stream::iter(payload)
}

/// To be called by a subscription's resolver when all is asked that decides whether the viewer may listen. Answers with what
/// has happened; `None` when she subscribes, to these topics.
pub(crate) fn begun(ctx: &Context<'_>, topics: &[Topic]) -> Option<Happening> {
    let occasion = ctx.data_unchecked::<Arc<Occasion>>();
    occasion.is_allowed.store(true, Ordering::Relaxed);
    if occasion.happening.is_none() {
        occasion.topics.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(topics);
    }
    occasion.happening
}
