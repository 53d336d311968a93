//! What happens after the training counts at once.

use super::Recommender;
use crate::Interaction;

impl Recommender {
    /// Counts a new interaction in the engines that can take one in without a full fit; answers that begin
    /// afterwards see it. `history` is what the learner did before `row`, in any order. Rows that name no
    /// course of the catalogue, hold values out of range or repeat a course of the history are passed over.
    ///
    /// Answers whether any engine took it in.
    pub fn absorb(&self, history: &[Interaction], row: &Interaction) -> bool {
        let _ = (self, history, row);
        false
    }
}
