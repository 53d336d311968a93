//! What a change of a course does to those who take it, and how they are told.
//!
//! Nothing is sent to a course's learners when its content changes: there may be a hundred thousand of them. Each finds what
//! has changed with her enrolment, until she takes notice of it.

use super::{
    Learning,
    model::{ContentChange, Progress, ProgressChange},
    store::{activity as beats, content as store},
};
use crate::{
    db::{DbError, Tx},
    ids::{AccountId, CourseId, LessonId},
    recommendations,
    time::Timestamp,
};

/// Why changes were not acknowledged: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeRefusal {
    /// She is not a learner there.
    #[error("you don't take this course")]
    NotEnrolled,
    /// There is no such version.
    #[error("the course's content is at version {0}: give a version that `changedBecause` told you")]
    NoSuchVersion(i64),
}

/// What learners find in a course has changed: lessons came or went, in the transaction of the caller, which has kept the new
/// number of lessons with the course and the change with `course_contents`. The sums of those who take it are made anew, by
/// one statement however many they are: retired lessons do not count any more, what is completed stays so, and each whose
/// progress is another number now finds out why. What was removed is told from the lessons' own state.
pub(crate) async fn changed(tx: &mut Tx, course: CourseId, _removed: &[LessonId]) -> Result<(), DbError> {
    let Some((lessons, version)) = store::hold_course(tx, course).await? else { return Ok(()) };
    let Some(change) = store::change_to(tx, course, version).await? else {
        return store::sum_again(tx, course, lessons).await;
    };
    let before = lessons - change.added.len() as i64 + change.removed.len() as i64;
    store::note_changes(tx, (course, version), (before, lessons)).await?;
    store::sum_again(tx, course, lessons).await?;
    let completed = store::complete_whole(tx, course, lessons, change.at).await?;
    if !completed.is_empty() {
        beats::add_completions(tx, course, completed.len() as i64).await?;
    }
    for learner in completed {
        recommendations::completed(tx, learner, course, change.at).await?;
    }
    Ok(())
}

impl Learning {
    /// Makes the sums of a course's learners anew in a transaction of its own: for whoever changes a course's content, and its
    /// `course_contents`, beside the graph.
    pub async fn settle(&self, course: CourseId) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        changed(&mut tx, course, &[]).await?;
        tx.commit().await
    }

    /// A learner has taken notice of what changed in a course, up to a version of its content.
    pub async fn acknowledge(
        &self,
        learner: AccountId,
        course: CourseId,
        version: i64,
    ) -> Result<Result<(), AcknowledgeRefusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let held = beats::hold(&mut tx, std::iter::once((learner, course))).await?;
        if held.is_empty() {
            return Ok(Err(AcknowledgeRefusal::NotEnrolled));
        }
        let newest = self.course(course).await?.map_or(1, |course| course.content_version);
        if !(1..=newest).contains(&version) {
            return Ok(Err(AcknowledgeRefusal::NoSuchVersion(newest)));
        }
        store::acknowledge(&mut tx, (learner, course), version).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

/// When an enrolment began, and when the course was completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) enrolled_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
}

/// The changes of a course that a learner has not taken notice of, the latest first, with what each did to her progress. Not
/// those that came after she had completed the course: they change nothing for her.
pub(super) fn unseen(
    changes: &[ContentChange],
    noted: &[(i64, Progress, Progress)],
    seen: Option<i64>,
    term: Term,
) -> Vec<ProgressChange> {
    let is_noted = |change: &ContentChange| noted.iter().any(|(version, ..)| *version == change.version);
    let is_new = |change: &&ContentChange| {
        change.version > seen.unwrap_or(0)
            && change.at >= term.enrolled_at
            && term
                .completed_at
                .is_none_or(|completed| change.at < completed || is_noted(change) && change.at == completed)
    };
    let told = |change: &ContentChange| {
        let numbers = noted.iter().find(|(version, ..)| *version == change.version);
        let (before, now) = numbers.map_or((Progress::NONE, Progress::NONE), |(_, before, now)| (*before, *now));
        ProgressChange { change: change.clone(), before, now }
    };
    changes.iter().rev().filter(is_new).map(told).collect()
}

/// The lessons that came after a learner had completed the course, and are still in it.
pub(super) fn came_since(changes: &[ContentChange], completed_at: Timestamp) -> Vec<LessonId> {
    let mut came: Vec<LessonId> = Vec::new();
    for change in changes.iter().filter(|change| change.at >= completed_at) {
        came.extend(&change.added);
        came.retain(|lesson| !change.removed.contains(lesson));
    }
    came
}

impl ProgressChange {
    /// What happened, for the learner.
    pub fn message(&self) -> String {
        let lessons = |count: usize| if count == 1 { "1 lesson".to_owned() } else { format!("{count} lessons") };
        let were = |count: usize| if count == 1 { "was" } else { "were" };
        let (added, removed) = (self.change.added.len(), self.change.removed.len());
        let what = match (added, removed) {
            (0, removed) => format!("{} {} taken out of this course", lessons(removed), were(removed)),
            (added, 0) => format!("{} {} added to this course", lessons(added), were(added)),
            (added, removed) => {
                format!("{} {} added to this course, and {} taken out", lessons(added), were(added), lessons(removed))
            }
        };
        let percent = |progress: Progress| progress.millionths() / 10_000;
        if self.before == self.now {
            return format!("{what}. Your progress is the same as before.");
        }
        format!(
            "{what}, so your progress went from {} % to {} %. What you did still counts, and what you completed stays completed.",
            percent(self.before),
            percent(self.now)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(version: i64, at: i64, added: &[u128], removed: &[u128]) -> ContentChange {
        let ids = |ids: &[u128]| ids.iter().map(|id| LessonId(uuid::Uuid::from_u128(*id))).collect();
        ContentChange { version, at: Timestamp(at), added: ids(added), removed: ids(removed) }
    }

    #[test]
    fn a_learner_is_told_of_what_changed_while_she_took_the_course_until_she_has_taken_notice() {
        let changes = [change(2, 10, &[1], &[]), change(3, 20, &[2, 3], &[]), change(4, 30, &[], &[1])];
        let half = Progress::from_millionths(500_000);
        let noted = [(3, half, Progress::from_millionths(250_000))];
        let term = |enrolled, completed: Option<i64>| Term {
            enrolled_at: Timestamp(enrolled),
            completed_at: completed.map(Timestamp),
        };
        let versions = |notes: Option<i64>, term| {
            unseen(&changes, &noted, notes, term).iter().map(|told| told.change.version).collect::<Vec<_>>()
        };
        let nothing = None;
        assert_eq!(versions(nothing, term(0, None)), [4, 3, 2]);
        assert_eq!(versions(nothing, term(15, None)), [4, 3]);
        assert_eq!(
            versions(nothing, term(0, Some(25))),
            [3, 2],
            "what came after she was done changes nothing for her"
        );
        assert_eq!(versions(Some(3), term(0, None)), [4]);
        let told = unseen(&changes, &noted, nothing, term(0, None));
        assert_eq!((told[1].before, told[1].now.millionths()), (half, 250_000));
        assert!(
            told[1]
                .message()
                .starts_with("2 lessons were added to this course, so your progress went from 50 % to 25 %")
        );
        assert_eq!(told[0].message(), "1 lesson was taken out of this course. Your progress is the same as before.");
        assert_eq!(came_since(&changes, Timestamp(5)).len(), 2, "the first was taken out again");
    }
}
