//! What comes before what, without circles.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use super::{Authoring, Desk, Done, Refusal, checks::MAX_PREREQUISITES, fresh, settle};
use crate::{
    courses::{
        model::PartStatus,
        store::{
            desk,
            links::{self, Named},
            parts,
        },
    },
    db::{DbError, Tx, settings},
    ids::{AccountId, CourseId, ModuleId},
};

/// How a course is named in a circle to somebody who may not know of it.
const UNNAMED: &str = "(a course that is not published)";

impl Authoring {
    /// Says which courses come before a course. Those that the author can't know of stay.
    pub async fn set_course_prerequisites(
        &self,
        by: AccountId,
        (course, version): (CourseId, i64),
        required: &[CourseId],
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.require_courses(by, course, version, required).await)
    }

    async fn require_courses(&self, by: AccountId, course: CourseId, version: i64, required: &[CourseId]) -> Done<()> {
        let required = each_once(required)?;
        let mut tx = self.db.begin().await?;
        // Two that are each right may make a circle together: the second one waits here, and sees the first. Before the
        // course is held, so that nobody who waits holds what another one needs.
        settings::set(&mut tx, "prerequisites_changed_at", &self.clock.now().to_string()).await?;
        let Desk { mut tx, .. } = self.desk_in(tx, by, course).await?.in_version(version)?;
        let present: Vec<CourseId> =
            links::required_courses(&mut tx, &[course]).await?.into_iter().map(|(_, required)| required).collect();
        let asked: Vec<CourseId> = present.iter().chain(&required).copied().collect();
        let names = links::names(&mut tx, &asked, by).await?;
        let is_known = |id: &CourseId| names.iter().any(|name| name.id == *id && name.is_known);
        if !required.iter().all(is_known) {
            return Err(Refusal::NoSuchPrerequisite("give ids of courses that you can see").into());
        }
        if let Some(circle) = circle(&mut tx, course, &required).await? {
            let names = links::names(&mut tx, &circle, by).await?;
            return Err(Refusal::Cycle(named(&circle, &names)).into());
        }
        let gone: Vec<CourseId> = present.iter().copied().filter(|id| is_known(id) && !required.contains(id)).collect();
        links::forget_required_courses(&mut tx, course, &gone).await?;
        for id in required.iter().filter(|id| !present.contains(id)) {
            links::require_course(&mut tx, course, *id).await?;
        }
        desk::new_version(&mut tx, course, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says which modules of the same course come before a module.
    pub async fn set_module_prerequisites(
        &self,
        by: AccountId,
        (module, version): (ModuleId, i64),
        required: &[ModuleId],
    ) -> Result<Result<(), Refusal>, DbError> {
        settle(self.require_modules(by, module, version, required).await)
    }

    async fn require_modules(&self, by: AccountId, module: ModuleId, version: i64, required: &[ModuleId]) -> Done<()> {
        let required = each_once(required)?;
        let (Desk { mut tx, course, .. }, modules, found) = self.desk_of_module(by, module).await?;
        fresh(found.version, version)?;
        let title = |id: ModuleId| modules.iter().find(|module| module.id == id);
        if !required.iter().all(|id| title(*id).is_some_and(|module| module.status != PartStatus::Retired)) {
            return Err(Refusal::NoSuchPrerequisite("give ids of modules of this course that are not retired").into());
        }
        let mut edges: HashMap<ModuleId, Vec<ModuleId>> = HashMap::new();
        for (from, to) in links::required_modules(&mut tx, course.id).await? {
            edges.entry(from).or_default().push(to);
        }
        let next = |id: &ModuleId| edges.get(id).cloned().unwrap_or_default();
        let mut search = Search::from(module, &required);
        while !search.is_over() {
            let found: Vec<_> =
                search.frontier().flat_map(|from| next(from).into_iter().map(|to| (*from, to))).collect();
            search.go_on(found);
        }
        if let Some(circle) = search.circle() {
            let titles: Vec<_> = circle.iter().filter_map(|id| title(*id)).map(|module| &*module.title).collect();
            return Err(Refusal::Cycle(titles.join(" → ")).into());
        }
        links::put_required_modules(&mut tx, course.id, module, &required).await?;
        parts::new_module_versions(&mut tx, &[module]).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn each_once<K: Copy + Eq + Hash>(ids: &[K]) -> Result<Vec<K>, Refusal> {
    let mut met = HashSet::new();
    let ids: Vec<K> = ids.iter().copied().filter(|id| met.insert(*id)).collect();
    if ids.len() > MAX_PREREQUISITES { Err(Refusal::TooManyPrerequisites(ids.len())) } else { Ok(ids) }
}

/// The way from a course back to itself, if it required these.
async fn circle(tx: &mut Tx, course: CourseId, required: &[CourseId]) -> Result<Option<Vec<CourseId>>, DbError> {
    let mut search = Search::from(course, required);
    while !search.is_over() {
        let frontier: Vec<CourseId> = search.frontier().copied().collect();
        search.go_on(links::required_courses(tx, &frontier).await?);
    }
    Ok(search.circle())
}

/// A circle by the titles that somebody may know.
fn named(circle: &[CourseId], names: &[Named]) -> String {
    let title =
        |id: &CourseId| names.iter().find(|name| name.id == *id && name.is_known).map_or(UNNAMED, |name| &name.title);
    circle.iter().map(title).collect::<Vec<_>>().join(" → ")
}

/// A search for the shortest way from a thing back to it, step by step.
struct Search<K> {
    start: K,
    /// From where each thing was reached.
    before: HashMap<K, K>,
    frontier: Vec<K>,
}

impl<K: Copy + Eq + Hash> Search<K> {
    /// With the steps from the start.
    fn from(start: K, next: &[K]) -> Self {
        let mut search = Self { start, before: HashMap::new(), frontier: Vec::new() };
        search.go_on(next.iter().map(|to| (start, *to)).collect());
        search
    }

    fn frontier(&self) -> impl Iterator<Item = &K> {
        self.frontier.iter()
    }

    /// With the steps from the frontier: what is reached for the first time is the next one.
    fn go_on(&mut self, steps: Vec<(K, K)>) {
        self.frontier.clear();
        for (from, to) in steps {
            if let std::collections::hash_map::Entry::Vacant(entry) = self.before.entry(to) {
                entry.insert(from);
                self.frontier.push(to);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.frontier.is_empty() || self.before.contains_key(&self.start)
    }

    /// The way, from the start to the start.
    fn circle(&self) -> Option<Vec<K>> {
        let mut way = vec![self.start];
        let mut at = *self.before.get(&self.start)?;
        while at != self.start {
            way.push(at);
            at = *self.before.get(&at)?;
        }
        way.push(self.start);
        way.reverse();
        Some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle_of(start: u32, next: &[u32], edges: &[(u32, u32)]) -> Option<Vec<u32>> {
        let mut search = Search::from(start, next);
        while !search.is_over() {
            let from: Vec<u32> = search.frontier().copied().collect();
            search.go_on(edges.iter().copied().filter(|(a, _)| from.contains(a)).collect());
        }
        search.circle()
    }

    #[test]
    fn a_circle_is_found_by_its_shortest_way_and_what_is_none_is_not() {
        assert_eq!(circle_of(1, &[1], &[]), Some(vec![1, 1]));
        assert_eq!(circle_of(1, &[2], &[(2, 3), (3, 1), (2, 4), (4, 5), (5, 1)]), Some(vec![1, 2, 3, 1]));
        assert_eq!(circle_of(1, &[2, 3], &[(2, 4), (3, 4), (4, 5)]), None);
        assert_eq!(circle_of(1, &[2], &[(2, 3), (3, 2)]), None, "a circle that it is not in");
    }
}
