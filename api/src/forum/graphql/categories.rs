//! The categories of a course's forum.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{ForumCategory, moderating::user_error, moderation, moderation::moderator, threads::Thread};
use crate::{
    forum::{
        model,
        moderation::{Refusal, model::CategoryText},
    },
    graphql::{
        errors::{Fault, UserError},
        node,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{CategoryId, CourseId},
};

/// How a category is kept.
pub(crate) struct CategoryRules {
    pub(super) category: ForumCategory,
}

/// How a category is kept.
#[Object]
impl CategoryRules {
    /// What belongs into it; null where nobody said.
    async fn description(&self) -> Option<&str> {
        self.category.row.description.as_deref()
    }

    /// Whether only the course's staff begin threads in it. Everybody may answer them.
    async fn staff_only(&self) -> bool {
        self.category.row.staff_only
    }

    /// Its place among the course's, from 0.
    async fn position(&self) -> i32 {
        int(self.category.row.position)
    }

    /// Since when it takes no new threads; null if it takes them.
    async fn archived_at(&self) -> Option<DateTime> {
        self.category.row.archived_at.map(Into::into)
    }

    /// Grows with each change: give it when you change the category.
    async fn version(&self) -> i32 {
        int(self.category.row.version)
    }

    /// Its threads that stand above the others, the one pinned last first. They are in `threads`, too.
    async fn pinned(&self, ctx: &Context<'_>) -> Result<Vec<Thread>, Fault> {
        moderation::pinned_in(scope(ctx), &self.category).await
    }
}

/// A category.
#[derive(Debug, InputObject)]
pub(crate) struct CreateForumCategoryInput {
    /// Its name, 1 to 200 characters; no two of a forum have the same.
    name: String,
    /// What belongs into it, 1 to 500 characters.
    description: Option<String>,
    /// Whether only the course's staff begin threads in it, as in one for announcements.
    #[graphql(default)]
    staff_only: bool,
}

/// A category as it is to be.
#[derive(Debug, InputObject)]
pub(crate) struct ChangeForumCategoryInput {
    /// Its name, 1 to 200 characters; no two of a forum have the same.
    name: String,
    /// What belongs into it, 1 to 500 characters; left out, nothing is said of it.
    description: Option<String>,
    /// Whether only the course's staff begin threads in it, as in one for announcements.
    staff_only: bool,
    /// The version that you read.
    version: i32,
}

/// A category to be archived.
#[derive(Debug, InputObject)]
pub(crate) struct ArchiveForumCategoryInput {
    /// The global id of the category that its threads go to; left out, they stay in it, to be read and answered.
    category_id: Option<ID>,
    /// The version that you read.
    version: i32,
}

/// What became of a change to a forum's categories.
#[derive(SimpleObject)]
pub(crate) struct ForumCategoryPayload {
    /// The category; null if there were errors.
    category: Option<ForumCategory>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl ForumCategoryPayload {
    async fn of(scope: &Scope, course: CourseId, done: Result<CategoryId, Refusal>) -> Result<Self, Fault> {
        Ok(match done {
            Err(refusal) => Self { category: None, user_errors: vec![user_error(refusal)] },
            Ok(id) => {
                scope.forget();
                Self { category: ForumCategory::find(scope, course, id).await?, user_errors: Vec::new() }
            }
        })
    }
}

/// What became of `reorderForumCategories`.
#[derive(SimpleObject)]
pub(crate) struct ReorderForumCategoriesPayload {
    /// The categories that are not archived, in their order now; null if there were errors.
    categories: Option<Vec<ForumCategory>>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Changing the categories of a course's forum.
#[derive(Default)]
pub(crate) struct CategoryMutation;

/// Changing the categories of a course's forum.
#[async_graphql::Object]
impl CategoryMutation {
    /// Makes a category in a course's forum, as a moderator of it.
    async fn create_forum_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
        #[graphql(desc = "The category.")] input: CreateForumCategoryInput,
    ) -> Result<ForumCategoryPayload, Fault> {
        let (scope, course) = (scope(ctx), node::course_id(&course_id)?);
        let new = CategoryText { name: input.name, description: input.description, staff_only: input.staff_only };
        let done = match moderator(scope, course).await? {
            Err(refusal) => Err(refusal),
            Ok(who) => scope.app.moderation.create_category(who, new).await?,
        };
        ForumCategoryPayload::of(scope, course, done).await
    }

    /// Changes a category's name, description, and who begins threads in it, as a moderator of its forum.
    async fn change_forum_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the category.")] category_id: ID,
        #[graphql(desc = "The category as it is to be.")] input: ChangeForumCategoryInput,
    ) -> Result<ForumCategoryPayload, Fault> {
        let (scope, (course, id)) = (scope(ctx), node::category_id(&category_id)?);
        let new = CategoryText { name: input.name, description: input.description, staff_only: input.staff_only };
        let done = match moderator(scope, course).await? {
            Err(Refusal::NoSuchForum) => Err(Refusal::NoSuchCategory),
            Err(refusal) => Err(refusal),
            Ok(who) => scope.app.moderation.change_category(who, (id, input.version.into()), new).await?,
        };
        ForumCategoryPayload::of(scope, course, done.map(|()| id)).await
    }

    /// Puts the categories of a course's forum into another order, as a moderator of it.
    async fn reorder_forum_categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
        #[graphql(desc = "The global ids of all its categories that are not archived, in the order that you want.")]
        category_ids: Vec<ID>,
    ) -> Result<ReorderForumCategoriesPayload, Fault> {
        let (scope, course) = (scope(ctx), node::course_id(&course_id)?);
        let refused =
            |refusal| ReorderForumCategoriesPayload { categories: None, user_errors: vec![user_error(refusal)] };
        let who = match moderator(scope, course).await? {
            Err(refusal) => return Ok(refused(refusal)),
            Ok(who) => who,
        };
        let ids: Vec<_> = category_ids.iter().map(node::category_id).collect::<Result<_, _>>()?;
        if ids.iter().any(|(of, _)| *of != course) {
            return Ok(refused(Refusal::NoSuchCategory));
        }
        let order: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
        if let Err(refusal) = scope.app.moderation.reorder_categories(who, &order).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        let Some(standing) = super::reader(scope, course).await? else { return Ok(refused(Refusal::NoSuchForum)) };
        let rows = scope.load().categories_of_course.get(course).await?;
        let living = |row: &&Arc<model::ForumCategory>| row.archived_at.is_none();
        let categories = rows
            .iter()
            .filter(living)
            .map(|row| ForumCategory { row: Arc::clone(row), standing: standing.clone() })
            .collect();
        Ok(ReorderForumCategoriesPayload { categories: Some(categories), user_errors: Vec::new() })
    }

    /// Closes a category for new threads, as a moderator of its forum.
    async fn archive_forum_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the category.")] category_id: ID,
        #[graphql(desc = "Where its threads go.")] input: ArchiveForumCategoryInput,
    ) -> Result<ForumCategoryPayload, Fault> {
        let (scope, (course, id)) = (scope(ctx), node::category_id(&category_id)?);
        let to = input.category_id.as_ref().map(node::category_id).transpose()?;
        let done = match moderator(scope, course).await? {
            Err(Refusal::NoSuchForum) => Err(Refusal::NoSuchCategory),
            Err(refusal) => Err(refusal),
            Ok(_) if to.is_some_and(|(of, _)| of != course) => Err(Refusal::OtherCourse),
            Ok(who) => {
                let wanted = (id, input.version.into());
                scope.app.moderation.archive_category(who, wanted, to.map(|(_, id)| id)).await?
            }
        };
        ForumCategoryPayload::of(scope, course, done.map(|()| id)).await
    }
}
