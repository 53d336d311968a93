//! What beats and scores make of a learner's state in a lesson.

use super::{
    activity::Beat,
    definition::{Reached, Rule},
    store::activity::{LessonRow, Pair, StateRow},
};
use crate::{courses::model::Completion, ids::LessonId, time::Timestamp};

pub(super) fn rule_of(lesson: &LessonRow) -> Rule {
    Rule { completion: lesson.completion.0, share: lesson.completion_share, length: lesson.length }
}

pub(super) fn new_state((learner_id, course_id): Pair, lesson_id: LessonId, at: Timestamp) -> StateRow {
    StateRow {
        learner_id,
        course_id,
        lesson_id,
        seconds: 0,
        position: 0,
        position_at: None,
        furthest: 0,
        progress: 0,
        score: None,
        scored_at: None,
        content_version: 1,
        started_at: at,
        updated_at: at,
        completed_at: None,
    }
}

/// Where a beat leaves its learner in the lesson. The latest one says where she is, whenever it comes; of two at the same
/// instant, the one further on, or, if the client told no times, the one that came later.
pub(super) fn take_beat(state: &mut StateRow, lesson: &LessonRow, rule: &Rule, (at, beat): (Timestamp, &Beat)) {
    if at >= state.updated_at {
        state.content_version = beat.content_version.unwrap_or(lesson.content_version);
    }
    let position = beat.position.map(|position| lesson.length.map_or(position, |length| position.min(length)));
    if let Some(position) = position {
        let since = match state.position_at {
            Some(since) => since,
            None if state.position == 0 => Timestamp(i64::MIN),
            // It was imported, and nobody said since when it holds.
            None => state.started_at,
        };
        if at > since || at == since && (beat.at.is_none() || position > state.position) {
            (state.position, state.position_at) = (position, Some(at));
        }
        state.furthest = state.furthest.max(position);
    }
    let here = Reached { furthest: position.unwrap_or(0), ..Reached::default() };
    let by_place = rule.completion == Completion::View && rule.is_met(&here);
    if by_place || beat.completed && rule.takes_her_word() {
        state.completed_at = Some(state.completed_at.map_or(at, |completed| completed.min(at)));
    }
    state.started_at = state.started_at.min(at);
    state.updated_at = state.updated_at.max(at);
}

/// Whether the lesson is completed by what was reached, and since when; and the progress that comes of it.
pub(super) fn settle(state: &mut StateRow, rule: &Rule, latest: Timestamp, when_left: impl Fn(i64) -> Option<i64>) {
    let mut reached = Reached {
        completed: state.completed_at.is_some(),
        furthest: state.furthest,
        seconds: state.seconds,
        score: state.score,
    };
    if rule.is_met(&reached) {
        let by_time = rule.needed().filter(|_| rule.completion == Completion::Time);
        let at = by_time.and_then(|needed| when_left(state.seconds - needed)).map_or(latest, Timestamp::from_seconds);
        if by_time.is_some() || state.completed_at.is_none() {
            state.completed_at = Some(state.completed_at.map_or(at, |completed| completed.min(at)));
        }
        reached.completed = true;
    }
    state.progress = state.progress.max(rule.progress(&reached).millionths());
}
