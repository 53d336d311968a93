//! Cohorts: those who take a course together.

use super::{Enrolling, MAX_NAME, Refusal, is_period, model::NewCohort, store};
use crate::{
    db::DbError,
    idempotency::{Claim, Key, KeyRefusal},
    ids::{AccountId, CohortId, CourseId},
};

impl Enrolling {
    /// Makes a cohort.
    pub async fn create_cohort(
        &self,
        instructor: AccountId,
        course: CourseId,
        new: NewCohort,
        key: Option<&str>,
    ) -> Result<Result<CohortId, Refusal>, DbError> {
        let new = match checked(new) {
            Ok(new) => new,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let times = [new.starts_at, new.ends_at].map(|at| at.map_or(i64::MIN, |at| at.0).to_be_bytes());
        let request: [&[u8]; 4] = [course.0.as_bytes(), new.name.as_bytes(), &times[0], &times[1]];
        let key = match key.map(|key| Key::new(instructor, key, "create cohort", &request)).transpose() {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if let Some(key) = &key {
            match key.claim(&mut tx, now).await? {
                Claim::First => {}
                Claim::Again(id) => return Ok(Ok(CohortId(id.parse().unwrap_or_default()))),
                Claim::Other => return Ok(Err(KeyRefusal::Reused.into())),
            }
        }
        let id: CohortId = self.clock.id();
        store::cohorts::insert(&mut tx, (course, id), &new, now).await?;
        if let Some(key) = &key {
            key.keep(&mut tx, &id.0.to_string()).await?;
        }
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// Gives a cohort another name and other dates.
    pub async fn update_cohort(
        &self,
        cohort: (CourseId, CohortId),
        version: i64,
        new: NewCohort,
    ) -> Result<Result<(), Refusal>, DbError> {
        let new = match checked(new) {
            Ok(new) => new,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if store::cohorts::change(&self.db, cohort, version, &new).await? {
            return Ok(Ok(()));
        }
        Ok(Err(self.why_not(cohort, Refusal::Stale).await?))
    }

    /// Puts nobody into a cohort any more. Those in it stay.
    pub async fn close_cohort(
        &self,
        cohort: (CourseId, CohortId),
        version: i64,
    ) -> Result<Result<(), Refusal>, DbError> {
        if store::cohorts::close(&self.db, cohort, version, self.clock.now()).await? {
            return Ok(Ok(()));
        }
        Ok(Err(self.why_not(cohort, Refusal::CohortClosed).await?))
    }

    /// Puts a learner into a cohort of her course, or into none.
    pub async fn assign_cohort(
        &self,
        learner: AccountId,
        course: CourseId,
        cohort: Option<CohortId>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        // Her row first, as whoever enrols locks them.
        if store::left_at(&mut tx, learner, course).await?.is_none() {
            return Ok(Err(Refusal::NoSuchLearner));
        }
        if let Some(cohort) = cohort {
            match store::cohorts::is_open(&mut tx, (course, cohort)).await? {
                None => return Ok(Err(Refusal::NoSuchCohort)),
                Some(false) => return Ok(Err(Refusal::CohortClosed)),
                Some(true) => {}
            }
        }
        store::cohorts::assign(&mut tx, (learner, course), cohort).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Why a cohort was not changed: there is none, it is closed (`closed` is said then), or somebody was quicker.
    async fn why_not(&self, cohort: (CourseId, CohortId), closed: Refusal) -> Result<Refusal, DbError> {
        Ok(match store::cohorts::cohorts(&self.db, &[cohort]).await?.pop() {
            None => Refusal::NoSuchCohort,
            Some(found) if found.closed_at.is_some() => closed,
            Some(_) => Refusal::Stale,
        })
    }
}

fn checked(NewCohort { name, starts_at, ends_at }: NewCohort) -> Result<NewCohort, Refusal> {
    let name = name.trim().replace('\0', "");
    let letters = name.chars().count();
    if letters == 0 || letters > MAX_NAME {
        return Err(Refusal::Name(letters));
    }
    if !is_period(starts_at, ends_at) {
        return Err(Refusal::Period);
    }
    Ok(NewCohort { name, starts_at, ends_at })
}
