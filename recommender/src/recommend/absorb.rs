//! What happens after the training counts at once.

use std::sync::PoisonError;

use super::{GONE, Recommender};
use crate::engine::Arrival;
use crate::{Interaction, interactions};

impl Recommender {
    /// Counts a new interaction in the engines that can take one in without a full fit; answers that begin
    /// afterwards see it. `history` is what the learner did before `row`, in any order; what is later than
    /// `row` is not read. Rows that name no course of the catalogue, hold values out of range or repeat a
    /// course of the history are passed over. It does not know whether it was given a row before.
    ///
    /// The model stays as it was trained: others that share it, and its bytes, do not change. The first call
    /// therefore copies the engines, which takes as long as reading the model; the others take microseconds.
    /// Which engines count exactly, which nearly and which not at all stands in the documentation of
    /// [`Scorer::absorb`](crate::Scorer::absorb).
    ///
    /// Answers whether any engine took it in.
    pub fn absorb(&self, history: &[Interaction], row: &Interaction) -> bool {
        if interactions::check(row, self.slot_of.len()).is_err() {
            return false;
        }
        let row = Interaction { course: self.slot_of[row.course as usize], ..*row };
        let mut history = self.history(history);
        if row.course == GONE || history.iter().any(|past| past.course == row.course) {
            return false;
        }
        history.truncate(history.partition_point(|past| past.at <= row.at));
        if !self.has_grown() {
            // Copied outside of the lock, so that no answer waits for it.
            let Some(copy) = self.model.0.known.copy() else {
                return false;
            };
            self.grown.write().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
        }
        let arrival = Arrival { history: &history, row: &row, content: &self.content };
        // One that panicked halfway left counts of one row too few: still good to go on with.
        let mut grown = self.grown.write().unwrap_or_else(PoisonError::into_inner);
        grown.as_mut().is_some_and(|known| known.absorb(&arrival))
    }

    fn has_grown(&self) -> bool {
        self.grown.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
