//! What waits for one listener.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;

use super::model::Happening;

/// A listener did not keep up: more happened than is kept for her.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

/// A queue with a limit. What stands in it already is not added: it is read only when it is told, so once is enough.
#[derive(Debug)]
pub(super) struct Queue {
    most: usize,
    waiting: Mutex<Result<VecDeque<Happening>, TooSlow>>,
    came: Notify,
}

impl Queue {
    /// An empty one, for so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::new(Ok(VecDeque::new())), came: Notify::new() }
    }

    /// Adds something. If there is no room, all that waits is let go, and the listener is too slow from now on, which is
    /// answered.
    pub(super) fn put(&self, happening: Happening) -> Result<(), TooSlow> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut put = Ok(());
        if let Ok(queue) = &mut *waiting {
            if queue.contains(&happening) {
                return put;
            }
            if queue.len() >= self.most {
                put = Err(TooSlow);
                *waiting = Err(TooSlow);
            } else {
                queue.push_back(happening);
            }
        }
        drop(waiting);
        self.came.notify_one();
        put
    }

    /// Takes the oldest out, as soon as there is one.
    pub(super) async fn next(&self) -> Result<Happening, TooSlow> {
        loop {
            {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                match &mut *waiting {
                    Err(slow) => return Err(*slow),
                    Ok(queue) => {
                        if let Some(happening) = queue.pop_front() {
                            if queue.is_empty() {
                                // Most listeners wait most of the time: then they hold nothing.
                                *queue = VecDeque::new();
                            }
                            return Ok(happening);
                        }
                    }
                }
            }
            self.came.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::AccountId, live::model::Event};

    fn happening(n: u128) -> Happening {
        Happening::Event(Event::RecommendationsChanged { learner: AccountId(uuid::Uuid::from_u128(n)) })
    }

    #[tokio::test]
    async fn what_waits_already_waits_once_and_the_order_is_kept() {
        let queue = Queue::new(3);
        for n in [1, 2, 1, 1, 2] {
            assert_eq!(queue.put(happening(n)), Ok(()));
        }
        assert_eq!(queue.next().await, Ok(happening(1)));
        assert_eq!(queue.put(happening(1)), Ok(()));
        assert_eq!(queue.next().await, Ok(happening(2)));
        assert_eq!(queue.next().await, Ok(happening(1)));
    }

    #[tokio::test]
    async fn a_full_queue_ends_at_once_and_for_good() {
        let queue = Queue::new(2);
        assert_eq!([1, 2, 3].map(|n| queue.put(happening(n))), [Ok(()), Ok(()), Err(TooSlow)]);
        assert_eq!(queue.next().await, Err(TooSlow));
        assert_eq!(queue.put(happening(1)), Ok(()), "she is too slow once");
        assert_eq!(queue.next().await, Err(TooSlow));
    }
}
