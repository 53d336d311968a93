//! The categories of a course's forum.

use super::{
    MAX_CATEGORIES, MAX_NAME, MAX_REASON, Moderation, Moderator, Refusal,
    model::{Act, CategoryText, NewEntry},
    text,
};
use crate::{
    db::{DbError, Tx},
    forum::{FIRST_CATEGORY, first_category, model::ForumCategory, store},
    ids::CategoryId,
};

/// A category to be changed, and the version that was read of it.
pub(crate) type WantedCategory = (CategoryId, i64);

/// Where a new thread goes.
///
/// The category that is wanted, or else the first in which the author may begin threads: `None` if the forum has no
/// category yet. One that is archived takes none, and one for staff takes theirs only.
pub(crate) fn for_new_thread(
    categories: &[ForumCategory],
    wanted: Option<CategoryId>,
    is_staff: bool,
) -> Result<Option<CategoryId>, NotHere> {
    let takes = |category: &&ForumCategory| category.archived_at.is_none() && (is_staff || !category.staff_only);
    match wanted {
        None => Ok(categories.iter().find(|found| takes(found) && !found.staff_only).map(|found| found.id)),
        Some(id) => match categories.iter().find(|found| found.id == id) {
            None => Err(NotHere::NoSuch),
            Some(found) if found.archived_at.is_some() => Err(NotHere::Archived),
            Some(found) if !takes(&found) => Err(NotHere::ForStaff),
            Some(found) => Ok(Some(found.id)),
        },
    }
}

/// Why a thread can't begin in a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// There is none.
    #[error("there is no such category in this course's forum")]
    NoSuch,
    /// It takes none any more.
    #[error("this category is archived: choose another one")]
    Archived,
    /// It takes those of staff only.
    #[error("in this category only the course's staff begin threads: choose another one")]
    ForStaff,
}

impl Moderation {
    /// Makes a category, after those that there are.
    pub(crate) async fn create_category(
        &self,
        who: Moderator,
        new: CategoryText,
    ) -> Result<Result<CategoryId, Refusal>, DbError> {
        let new = match checked(new) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(new) => new,
        };
        let mut tx = self.db.begin().await?;
        let categories = self.hold_categories(&mut tx, who).await?;
        if living(&categories).count() >= MAX_CATEGORIES {
            return Ok(Err(Refusal::TooManyCategories));
        }
        if is_taken(&categories, &new.name, None) {
            return Ok(Err(Refusal::NameTaken));
        }
        let position = categories.iter().map(|found| found.position + 1).max().unwrap_or(0);
        let id = self.clock.id();
        store::categories::create(&mut tx, (who.course, id), position, &new).await?;
        let entry = NewEntry { category: Some(id), after: Some(&new.name), ..NewEntry::of(Act::CreateCategory) };
        self.note(&mut tx, who, &entry).await?;
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// Changes a category's name, description, and who begins threads in it.
    pub(crate) async fn change_category(
        &self,
        who: Moderator,
        wanted: WantedCategory,
        new: CategoryText,
    ) -> Result<Result<(), Refusal>, DbError> {
        let new = match checked(new) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(new) => new,
        };
        let mut tx = self.db.begin().await?;
        let categories = self.hold_categories(&mut tx, who).await?;
        let found = match find(&categories, wanted) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(found) => found,
        };
        if is_taken(&categories, &new.name, Some(found.id)) {
            return Ok(Err(Refusal::NameTaken));
        }
        if new.staff_only && is_last(&categories, found.id) {
            return Ok(Err(Refusal::LastCategory));
        }
        store::categories::change(&mut tx, (who.course, found.id), &new).await?;
        let entry = NewEntry {
            category: Some(found.id),
            before: Some(&found.name),
            after: Some(&new.name),
            ..NewEntry::of(Act::ChangeCategory)
        };
        self.note(&mut tx, who, &entry).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Puts the categories that are not archived into this order. It takes all of them, so whoever does not know of a new one
    /// is refused.
    pub(crate) async fn reorder_categories(
        &self,
        who: Moderator,
        order: &[CategoryId],
    ) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let categories = self.hold_categories(&mut tx, who).await?;
        let (mut given, mut there) = (order.to_vec(), living(&categories).map(|found| found.id).collect::<Vec<_>>());
        if given == there {
            return Ok(Ok(()));
        }
        given.sort_unstable();
        there.sort_unstable();
        if given != there {
            return Ok(Err(Refusal::Order(there.len())));
        }
        let archived = categories.iter().filter(|found| found.archived_at.is_some()).map(|found| found.id);
        for (position, id) in (0..).zip(order.iter().copied().chain(archived)) {
            store::categories::place(&mut tx, (who.course, id), position).await?;
        }
        self.note(&mut tx, who, &NewEntry::of(Act::ReorderCategories)).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Closes a category for new threads. Its threads go to another one, or stay in it if none is given.
    pub(crate) async fn archive_category(
        &self,
        who: Moderator,
        wanted: WantedCategory,
        threads_to: Option<CategoryId>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let categories = self.hold_categories(&mut tx, who).await?;
        let found = match find(&categories, wanted) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(found) if found.archived_at.is_some() => return Ok(Err(Refusal::Archived)),
            Ok(found) => found,
        };
        if is_last(&categories, found.id) {
            return Ok(Err(Refusal::LastCategory));
        }
        let to = match threads_to.map(|id| categories.iter().find(|found| found.id == id)) {
            Some(None) => return Ok(Err(Refusal::NoSuchCategory)),
            Some(Some(to)) if to.id == found.id => return Ok(Err(Refusal::SameCategory)),
            Some(Some(to)) if to.archived_at.is_some() => return Ok(Err(Refusal::Archived)),
            to => to.flatten(),
        };
        store::categories::archive(&mut tx, (who.course, found.id), self.clock.now()).await?;
        if let Some(to) = to {
            store::categories::move_threads(&mut tx, who.course, (found.id, to.id)).await?;
        }
        let entry = NewEntry {
            category: Some(found.id),
            before: Some(&found.name),
            after: to.map(|to| to.name.as_str()),
            ..NewEntry::of(Act::ArchiveCategory)
        };
        self.note(&mut tx, who, &entry).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// The course's categories, which nobody else changes until the transaction ends. A forum that has none yet gets its first.
    async fn hold_categories(&self, tx: &mut Tx, who: Moderator) -> Result<Vec<ForumCategory>, DbError> {
        let categories = store::categories::hold(tx, who.course).await?;
        if !categories.is_empty() {
            return Ok(categories);
        }
        store::insert_category(tx, who.course, first_category(who.course), 0, FIRST_CATEGORY).await?;
        store::categories::hold(tx, who.course).await
    }
}

fn living(categories: &[ForumCategory]) -> impl Iterator<Item = &ForumCategory> {
    categories.iter().filter(|category| category.archived_at.is_none())
}

fn find(categories: &[ForumCategory], (id, version): WantedCategory) -> Result<&ForumCategory, Refusal> {
    match categories.iter().find(|category| category.id == id) {
        None => Err(Refusal::NoSuchCategory),
        Some(category) if category.version != version => Err(Refusal::Stale(category.version)),
        Some(category) => Ok(category),
    }
}

/// Whether without this one there would be none in which learners may begin threads.
fn is_last(categories: &[ForumCategory], id: CategoryId) -> bool {
    !living(categories).any(|category| category.id != id && !category.staff_only)
}

fn is_taken(categories: &[ForumCategory], name: &str, by_another_than: Option<CategoryId>) -> bool {
    living(categories).any(|category| category.name == name && Some(category.id) != by_another_than)
}

fn checked(new: CategoryText) -> Result<CategoryText, Refusal> {
    let name = text(&new.name, MAX_NAME, Refusal::Name)?.to_owned();
    let description = match new.description {
        None => None,
        Some(description) => Some(text(&description, MAX_REASON, Refusal::Description)?.to_owned()),
    };
    Ok(CategoryText { name, description, ..new })
}
