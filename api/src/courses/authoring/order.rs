//! The order of modules and lessons.

use std::collections::HashSet;

use super::{Authoring, Desk, Done, Refusal, fresh, settle};
use crate::{
    courses::{
        model::PartStatus,
        store::{desk, parts},
    },
    db::DbError,
    ids::{AccountId, CourseId, LessonId, ModuleId},
};

impl Authoring {
    /// Puts the modules of a course into an order; it names each that is not retired.
    pub async fn reorder_modules(
        &self,
        by: AccountId,
        (course, version): (CourseId, i64),
        order: &[ModuleId],
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.place_modules(by, course, version, order).await)
    }

    async fn place_modules(&self, by: AccountId, course: CourseId, version: i64, order: &[ModuleId]) -> Done<()> {
        let Desk { mut tx, .. } = self.desk(by, course).await?.in_version(version)?;
        let modules = parts::modules(&mut tx, course).await?;
        let there = modules.iter().filter(|module| module.status != PartStatus::Retired).map(|module| module.id);
        whole(there, order)?;
        for (module, position) in order.iter().zip(0..) {
            parts::place_module(&mut tx, *module, position).await?;
        }
        desk::new_version(&mut tx, course, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts the lessons of a module into an order; it names each that is not retired.
    pub async fn reorder_lessons(
        &self,
        by: AccountId,
        (module, version): (ModuleId, i64),
        order: &[LessonId],
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.place_lessons(by, module, version, order).await)
    }

    async fn place_lessons(&self, by: AccountId, module: ModuleId, version: i64, order: &[LessonId]) -> Done<()> {
        let (Desk { mut tx, .. }, _, found) = self.desk_of_module(by, module).await?;
        fresh(found.version, version)?;
        let lessons = parts::lessons(&mut tx, module).await?;
        let there = lessons.iter().filter(|lesson| lesson.status != PartStatus::Retired).map(|lesson| lesson.id);
        whole(there, order)?;
        for (lesson, position) in order.iter().zip(0..) {
            parts::place_lesson(&mut tx, *lesson, module, position).await?;
        }
        parts::new_module_versions(&mut tx, &[module]).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Moves a lesson to a place in a module of the same course, that it is in or another one.
    pub async fn move_lesson(
        &self,
        by: AccountId,
        (lesson, version): (LessonId, i64),
        to: (ModuleId, i64),
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.carry(by, lesson, version, to).await)
    }

    async fn carry(
        &self,
        by: AccountId,
        lesson: LessonId,
        version: i64,
        (module, position): (ModuleId, i64),
    ) -> Done<()> {
        let (Desk { mut tx, .. }, found) = self.desk_of_lesson(by, lesson).await?;
        fresh(found.version, version)?;
        if found.status == PartStatus::Retired {
            return Err(Refusal::Retired.into());
        }
        let modules = parts::modules(&mut tx, found.course_id).await?;
        let to = modules.iter().find(|other| other.id == module).ok_or(Refusal::NoSuchModule)?;
        if to.status == PartStatus::Retired {
            return Err(Refusal::Retired.into());
        }
        if found.status == PartStatus::Published && to.status != PartStatus::Published {
            return Err(Refusal::ModuleNotPublished.into());
        }
        let others = parts::lessons(&mut tx, module).await?;
        if module != found.module_id && others.len() >= super::checks::MAX_LESSONS {
            return Err(Refusal::TooManyLessons.into());
        }
        let is_other =
            |other: &&crate::courses::model::Lesson| other.status != PartStatus::Retired && other.id != lesson;
        let mut order: Vec<LessonId> = others.iter().filter(is_other).map(|other| other.id).collect();
        let place = usize::try_from(position).ok().filter(|place| *place <= order.len());
        order.insert(place.ok_or(Refusal::Position(order.len()))?, lesson);
        for (other, position) in order.iter().zip(0..) {
            parts::place_lesson(&mut tx, *other, module, position).await?;
        }
        parts::new_lesson_version(&mut tx, lesson).await?;
        parts::new_module_versions(&mut tx, &[found.module_id, module]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether an order names each thing that is there once, and nothing else.
fn whole<K: Copy + Eq + std::hash::Hash>(there: impl Iterator<Item = K>, order: &[K]) -> Result<(), Refusal> {
    let (there, named): (HashSet<K>, HashSet<K>) = (there.collect(), order.iter().copied().collect());
    if named.len() < order.len() {
        Err(Refusal::Order("one is named twice"))
    } else if there.difference(&named).next().is_some() {
        Err(Refusal::Order("one is missing"))
    } else if named.len() > there.len() {
        Err(Refusal::Order("one is not there"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_all_of_it_once() {
        assert_eq!(whole([1, 2, 3].into_iter(), &[3, 1, 2]), Ok(()));
        assert_eq!(whole([1, 2].into_iter(), &[1, 1]), Err(Refusal::Order("one is named twice")));
        assert_eq!(whole([1, 2].into_iter(), &[1]), Err(Refusal::Order("one is missing")));
        assert_eq!(whole([1].into_iter(), &[1, 2]), Err(Refusal::Order("one is not there")));
    }
}
