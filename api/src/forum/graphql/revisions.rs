//! What posts said before they were edited.

use std::sync::Arc;

use async_graphql::Enum;
use stoa_macros::Object;

use crate::{
    access::{self, InCourse, POST_REVISION_BODY, POST_REVISION_REASON, Shown, Standing, graphql::About},
    db::page::{Page, TimeKey},
    forum::model,
    graphql::{
        connection::{Pages, connection},
        errors::Fault,
        scalars::{DateTime, int},
        scope::Scope,
    },
};

/// The name of the list for cursors.
pub(super) const REVISIONS: &str = "revisions";

/// As what somebody edited or removed a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "PostChangedAs", remote = "model::RemovedAs")]
pub(crate) enum ChangedAs {
    /// Who wrote it.
    Author,
    /// A moderator; which one is not told.
    Moderator,
}

/// What a post said before an edit.
pub(crate) struct PostRevision {
    row: Arc<model::Revision>,
    standing: Standing<InCourse>,
}

/// A page of a post's history.
pub(super) fn pages_of(
    scope: &Scope,
    page: &Page<Arc<model::Revision>>,
    standing: &Standing<InCourse>,
) -> Result<Pages<PostRevision>, Fault> {
    let key = |row: &Arc<model::Revision>| -> TimeKey { (row.edited_at.0, row.id.0) };
    connection(scope, REVISIONS, page, key, |row| PostRevision { row: Arc::clone(row), standing: standing.clone() })
}

/// What a post said before an edit.
#[Object]
impl PostRevision {
    /// The version of the post that said this.
    async fn version(&self) -> i32 {
        int(self.row.version)
    }

    /// What it said, in Markdown. It is what somebody typed: escape it before you show it.
    #[graphql(directive = About::apply(&POST_REVISION_BODY))]
    async fn body(&self) -> Shown<String> {
        access::show(&POST_REVISION_BODY, &self.standing, &self.row.body)
    }

    /// When it was edited, and no longer said this.
    async fn edited_at(&self) -> DateTime {
        self.row.edited_at.into()
    }

    /// As what somebody edited it.
    async fn edited_as(&self) -> ChangedAs {
        self.row.edited_as.into()
    }

    /// Why it was edited; null also where the author has not said.
    #[graphql(directive = About::apply(&POST_REVISION_REASON))]
    async fn reason(&self) -> Shown<Option<String>> {
        access::show(&POST_REVISION_REASON, &self.standing, &self.row.reason)
    }
}
