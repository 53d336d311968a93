//! The forum by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    kept::{Asked, Kept, Key, What},
    model::{ForumCategory, Post, Revision, Thread},
    store,
};
use crate::{
    batch::{Fetch, by_request, grouped, pages},
    db::{
        Db, DbError, Memory,
        page::{Page, PageRequest, TimeKey},
    },
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
};

/// The categories of courses.
pub(crate) struct CategoriesOfCourse(pub(crate) Db);

impl Fetch for CategoriesOfCourse {
    type Key = CourseId;
    type Value = Arc<Vec<Arc<ForumCategory>>>;

    async fn fetch(&self, keys: &[CourseId]) -> Result<HashMap<CourseId, Self::Value>, DbError> {
        let found = store::categories_of_courses(&self.0, keys).await?;
        Ok(grouped(found.into_iter().map(|category| (category.course_id, Arc::new(category)))))
    }
}

/// Categories by course and id.
pub(crate) struct Categories(pub(crate) Db);

impl Fetch for Categories {
    type Key = (CourseId, CategoryId);
    type Value = Option<Arc<ForumCategory>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::categories(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Threads by course and id.
pub(crate) struct Threads(pub(crate) Db);

impl Fetch for Threads {
    type Key = (CourseId, ThreadId);
    type Value = Option<Arc<Thread>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::threads::threads(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Posts by course and id.
pub(crate) struct Posts(pub(crate) Db);

impl Fetch for Posts {
    type Key = (CourseId, PostId);
    type Value = Option<Arc<Post>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = store::posts::posts(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// Whether somebody has voted for a post.
pub(crate) struct Voted(pub(crate) Db);

impl Fetch for Voted {
    type Key = (AccountId, CourseId, PostId);
    type Value = bool;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, bool>, DbError> {
        let mut posts: HashMap<AccountId, Vec<(CourseId, PostId)>> = HashMap::new();
        for (voter, course, post) in keys {
            posts.entry(*voter).or_default().push((*course, *post));
        }
        let mut found = HashMap::new();
        for (voter, posts) in posts {
            let voted = store::votes::voted_for(&self.0, voter, &posts).await?;
            found.extend(voted.into_iter().map(|(course, post)| ((voter, course, post), true)));
        }
        Ok(found)
    }
}

/// Pages of what posts said before they were edited.
pub(crate) struct RevisionsOfPost(pub(crate) Db);

impl Fetch for RevisionsOfPost {
    type Key = ((CourseId, PostId), PageRequest<TimeKey>);
    type Value = Arc<Page<Arc<Revision>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (request, posts) in by_request(keys) {
            let rows = store::revisions::pages(&self.0, &posts, &request).await?;
            let rows = rows.into_iter().map(|row| ((row.course_id, row.post_id), Arc::new(row)));
            found.extend(pages(&request, posts, rows));
        }
        Ok(found)
    }
}

/// Loaders of pages that are kept beyond a request: which list, what is in it, how it is read, the list that a row belongs to, and as
/// what a page is kept.
macro_rules! page_loaders {
    ($($(#[$doc:meta])* $name:ident: $list:ty => $value:ty = $read:path, |$row:ident| $of:expr, |$key:pat_param, $request:ident| $place:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) Arc<Kept>);

        impl Fetch for $name {
            type Key = ($list, PageRequest<TimeKey>);
            type Value = Arc<Page<Arc<$value>>>;

            fn at_hand(&self, key: &Self::Key) -> Option<Self::Value> {
                self.0.at_hand(&Self::place(key))
            }

            async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
                let Asked { mut found, missing, reading } = self.0.ask(keys, Self::place).await?;
                self.0.db().looked_up(Memory::Forums, found.len(), missing.len());
                for (request, lists) in by_request(&missing) {
                    let rows = $read(self.0.db(), &lists, &request).await?;
                    // A row of a list has a list, so nothing is dropped here.
                    let rows = rows.into_iter().filter_map(|$row| $of.map(|list| (list, Arc::new($row))));
                    for (key, page) in pages(&request, lists, rows) {
                        reading.keep(Self::place(&key), &page);
                        found.insert(key, page);
                    }
                }
                Ok(found)
            }
        }

        impl $name {
            /// Under what a page is kept.
            fn place(key: &<Self as Fetch>::Key) -> Key {
                let ($key, $request) = (key.0, key.1.clone());
                $place
            }
        }
    )+};
}

page_loaders! {
    /// Pages of courses' threads.
    ThreadsOfCourse: CourseId => Thread = store::threads::thread_pages, |thread| Some(thread.course_id),
        |course, request| (course, What::Threads(request));
    /// Pages of categories' threads.
    ThreadsOfCategory: (CourseId, CategoryId) => Thread = store::threads::category_thread_pages,
        |thread| Some((thread.course_id, thread.category_id)),
        |(course, category), request| (course, What::ThreadsOfCategory(category, request));
    /// Pages of threads' posts.
    PostsOfThread: (CourseId, ThreadId) => Post = store::posts::post_pages, |post| Some((post.course_id, post.thread_id)),
        |(course, thread), request| (course, What::Posts(thread, request));
    /// Pages of threads' posts, by votes.
    PostsByVotes: (CourseId, ThreadId) => Post = store::posts::post_pages_by_votes,
        |post| Some((post.course_id, post.thread_id)),
        |(course, thread), request| (course, What::PostsByVotes(thread, request));
    /// Pages of posts' replies.
    RepliesOfPost: (CourseId, PostId) => Post = store::posts::reply_pages,
        |post| post.reply_to.map(|reply_to| (post.course_id, reply_to)),
        |(course, post), request| (course, What::Replies(post, request));
}
