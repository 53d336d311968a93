//! What keeping order in a forum is about, by key, in batches.

use std::{collections::HashMap, sync::Arc};

use super::{
    MAX_PINNED,
    model::{FormerTitle, Report, ReportReason, Told, Warning},
};
use crate::{
    access::{Personal, tags},
    batch::{Fetch, grouped},
    db::{Db, DbError},
    forum::store::{moderation as table, reports},
    ids::{AccountId, CourseId, PostId, ReportId, ThreadId},
};

/// So many former titles of a thread are shown, and so many reports of a post.
pub(crate) const SHOWN: i64 = 100;

/// Something about a report that is for those who may see it.
type Moderated<T> = Personal<tags::Moderation, T>;

/// Reports by course and id.
pub(crate) struct Reports(pub(crate) Db);

impl Fetch for Reports {
    type Key = (CourseId, ReportId);
    type Value = Option<Arc<Report>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = reports::reports(&self.0, keys).await?;
        Ok(found.into_iter().map(|found| ((found.course_id, found.id), Some(Arc::new(found)))).collect())
    }
}

/// What was told to the moderators of a post, the first first.
pub(crate) struct ToldOfReport(pub(crate) Db);

impl Fetch for ToldOfReport {
    type Key = (CourseId, ReportId);
    type Value = Moderated<Arc<Vec<Told>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = grouped(reports::told(&self.0, keys, SHOWN).await?);
        Ok(found.into_iter().map(|(report, told)| (report, told.into())).collect())
    }
}

/// What somebody told the moderators of a post.
pub(crate) struct ToldBy(pub(crate) Db);

impl Fetch for ToldBy {
    type Key = ((CourseId, ReportId), AccountId);
    type Value = Option<Arc<Moderated<Told>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let mut reports_of: HashMap<AccountId, Vec<(CourseId, ReportId)>> = HashMap::new();
        for (report, reporter) in keys {
            reports_of.entry(*reporter).or_default().push(*report);
        }
        let mut told = HashMap::with_capacity(keys.len());
        for (reporter, of) in reports_of {
            let found = reports::told_by(&self.0, &of, reporter).await?;
            told.extend(found.into_iter().map(|(report, told)| ((report, reporter), Some(Arc::new(told.into())))));
        }
        Ok(told)
    }
}

/// How often each reason was given for a report, the commonest first.
pub(crate) struct ReasonsOfReport(pub(crate) Db);

impl Fetch for ReasonsOfReport {
    type Key = (CourseId, ReportId);
    type Value = Moderated<Arc<Vec<(ReportReason, i64)>>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = grouped(reports::reasons(&self.0, keys).await?);
        Ok(found.into_iter().map(|(report, reasons)| (report, reasons.into())).collect())
    }
}

/// What moderators told the authors of posts.
pub(crate) struct Warnings(pub(crate) Db);

impl Fetch for Warnings {
    type Key = (CourseId, PostId);
    type Value = Moderated<Option<Warning>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        let found = table::warnings(&self.0, keys).await?;
        Ok(found.into_iter().map(|(post, warning)| (post, Some(warning).into())).collect())
    }
}

/// The titles that threads had, the latest first.
pub(crate) struct FormerTitles(pub(crate) Db);

impl Fetch for FormerTitles {
    type Key = (CourseId, ThreadId);
    type Value = Arc<Vec<FormerTitle>>;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Self::Value>, DbError> {
        Ok(grouped(table::titles(&self.0, keys, SHOWN).await?))
    }
}

/// The pinned threads of courses, the one pinned last first.
pub(crate) struct PinnedThreads(pub(crate) Db);

impl Fetch for PinnedThreads {
    type Key = CourseId;
    type Value = Arc<Vec<ThreadId>>;

    async fn fetch(&self, keys: &[CourseId]) -> Result<HashMap<CourseId, Self::Value>, DbError> {
        Ok(grouped(table::pinned(&self.0, keys, MAX_PINNED).await?))
    }
}
