//! What a learner says of courses, and what she agrees to.

use super::{
    Feed,
    events::SHOWN_FOR,
    external::Happened,
    model::{Consent, Feedback, FeedbackKind, Purpose},
    store::{self, log},
};
use crate::{
    access::{Personal, tags},
    courses::{model::Course, store as catalogue},
    db::{
        DbError,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CourseId, ListId},
    live::{self, model::Event},
    time::Timestamp,
};

/// Why a word was not taken: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackRefusal {
    /// There is no such course.
    #[error("there is no such course")]
    NoSuchCourse,
    /// She was given no such list.
    #[error("you were given no such list, or too long ago: take the id from nextCourses, or leave it out")]
    NoSuchList,
    /// The list has not got the course.
    #[error("the course is not in this list")]
    NotInList,
}

impl Feed {
    /// Takes a learner's word on a course in the place of the one before; saying the same again changes nothing. With the
    /// list in which she saw it, it counts for that list; else for the one that showed it last.
    pub async fn give_feedback(
        &self,
        learner: AccountId,
        (course, kind): (CourseId, FeedbackKind),
        list: Option<ListId>,
    ) -> Result<Result<(), FeedbackRefusal>, DbError> {
        let found = catalogue::by_ids(&self.db, &[course]).await?.pop();
        if !found.as_ref().is_some_and(Course::is_public) {
            return Ok(Err(FeedbackRefusal::NoSuchCourse));
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        // First of all: it holds the account, so that of two words at once one is the latest.
        store::feedback::touch(&mut tx, learner, now).await?;
        let granted = store::feedback::hold_consent(&mut tx, learner, Purpose::PersonalRecommendations).await?;
        // Where nothing is logged there are no lists to be found.
        let list = list.filter(|_| granted);
        if let Some(list) = list {
            match log::offered(&mut tx, (learner, list), self.reported_since(now)).await? {
                None => return Ok(Err(FeedbackRefusal::NoSuchList)),
                Some(courses) if !courses.contains(&course) => return Ok(Err(FeedbackRefusal::NotInList)),
                Some(_) => {}
            }
        }
        let before = store::feedback::on_course(&mut tx, learner, course).await?;
        if before.is_some_and(|before| before.kind == kind) {
            // Dropped without a commit: the list that is kept stays good.
            return Ok(Ok(()));
        }
        let feedback = Feedback { course, kind, at: now };
        store::feedback::put(&mut tx, learner, feedback).await?;
        if granted {
            log::forget_words(&mut tx, learner, course).await?;
            if let Some(list) = list {
                log::show(&mut tx, (learner, list), &[course], now).await?;
                log::happen(&mut tx, (learner, list), &[course], kind.as_str(), now).await?;
            } else {
                let since = Timestamp(now.0 - SHOWN_FOR);
                log::happen_since(&mut tx, (learner, course), kind.as_str(), since, now).await?;
            }
        }
        live::announce(&mut tx, &Event::RecommendationsChanged { learner });
        tx.commit().await?;
        if kind == FeedbackKind::Like {
            self.engines.happened(Happened::Liked, learner, course, now);
        }
        Ok(Ok(()))
    }

    /// Takes a learner's word on a course back; where there is none, nothing changes.
    pub async fn undo_feedback(&self, learner: AccountId, course: CourseId) -> Result<(), DbError> {
        let mut tx = self.db.begin().await?;
        store::feedback::touch(&mut tx, learner, self.clock.now()).await?;
        if store::feedback::on_course(&mut tx, learner, course).await?.is_some() {
            store::feedback::take_back(&mut tx, learner, course).await?;
            log::forget_words(&mut tx, learner, course).await?;
            live::announce(&mut tx, &Event::RecommendationsChanged { learner });
            tx.commit().await?;
        }
        Ok(())
    }

    /// A page of what a learner said of courses, the latest first.
    pub async fn feedback(
        &self,
        learner: AccountId,
        request: &PageRequest<TimeKey>,
    ) -> Result<Personal<tags::Recommendation, Page<Feedback>>, DbError> {
        let rows = store::feedback::page(&self.db, learner, request).await?;
        Ok(Page::from_rows(rows, request).into())
    }

    /// Writes down what a learner has decided. With her consent go her list and all that was logged of her lists, in the
    /// same transaction; what she said of courses stays hers.
    pub async fn set_consent(&self, learner: AccountId, purpose: Purpose, granted: bool) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        store::feedback::touch(&mut tx, learner, now).await?;
        store::feedback::put_consent(&mut tx, learner, (purpose, granted), now).await?;
        match purpose {
            Purpose::PersonalRecommendations if granted => {}
            Purpose::PersonalRecommendations => {
                store::feedback::forget_list(&mut tx, learner).await?;
                log::forget(&mut tx, learner).await?;
            }
        }
        live::announce(&mut tx, &Event::RecommendationsChanged { learner });
        tx.commit().await?;
        Ok(())
    }
}

/// Every purpose, with what was decided about it: whoever has not decided has agreed.
pub(super) fn with_defaults(decided: &[Consent]) -> Vec<Consent> {
    Purpose::ALL
        .iter()
        .map(|purpose| {
            let found = decided.iter().find(|consent| consent.purpose == *purpose);
            found.copied().unwrap_or(Consent { purpose: *purpose, granted: true, decided_at: None })
        })
        .collect()
}
