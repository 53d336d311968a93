//! Relay connections: the one helper that every list with pages uses.

use std::sync::Arc;

use async_graphql::{Context, Object, OutputType, connection::PageInfo};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    direct::{Direct, Refs},
    errors::Fault,
    scope::{Scope, scope},
};
use crate::{
    accounts::Accounts,
    announcements::graphql::Announcement,
    audit::graphql::AccessLogEntry,
    bookmarks::graphql::Bookmark,
    cases::graphql::Case,
    courses::graphql::Course,
    db::page::{Direction, MAX_PAGE, Page, PageRequest},
    enrolling::graphql::{cohorts::Cohort, invitations::Invitation, waiting::PlaceInLine},
    forum::graphql::{Post, PostRevision, Thread, moderation::ModerationEntry, reports::Report, search::ForumHit},
    messages::graphql::{Conversation, Message},
    notifications::graphql::Notification,
    progress::graphql::Enrolment,
    recommendations::graphql::feedback::RecommendationFeedback,
    reviews::graphql::Review,
    sign_in::graphql::SignIn,
};

/// Where things are in their list, by their place on the page; made only for those who ask.
type Places = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// A page of a list.
pub(crate) struct Pages<T> {
    has_previous: bool,
    has_next: bool,
    edges: Vec<Edge<T>>,
}

/// A page of a list.
#[Object(
    concrete(name = "CourseConnection", params(Course)),
    concrete(name = "EnrolmentConnection", params(Enrolment)),
    concrete(name = "ThreadConnection", params(Thread)),
    concrete(name = "PostConnection", params(Post)),
    concrete(name = "ConversationConnection", params(Conversation)),
    concrete(name = "MessageConnection", params(Message)),
    concrete(name = "ForumHitConnection", params(ForumHit)),
    concrete(name = "ReportConnection", params(Report)),
    concrete(name = "ModerationLogConnection", params(ModerationEntry)),
    concrete(name = "PostRevisionConnection", params(PostRevision)),
    concrete(name = "AccessLogConnection", params(AccessLogEntry)),
    concrete(name = "CaseConnection", params(Case)),
    concrete(name = "ReviewConnection", params(Review)),
    concrete(name = "BookmarkConnection", params(Bookmark)),
    concrete(name = "PlaceInLineConnection", params(PlaceInLine)),
    concrete(name = "CohortConnection", params(Cohort)),
    concrete(name = "InvitationConnection", params(Invitation)),
    concrete(name = "RecommendationFeedbackConnection", params(RecommendationFeedback)),
    concrete(name = "SignInConnection", params(SignIn)),
    concrete(name = "NotificationConnection", params(Notification)),
    concrete(name = "AnnouncementConnection", params(Announcement))
)]
impl<T: Direct> Pages<T>
where
    Edge<T>: OutputType,
{
    /// Whether there is more, and where to go on.
    async fn page_info(&self, ctx: &Context<'_>) -> PageInfo {
        let cursor = |edge: &Edge<T>| edge.cursor_in(scope(ctx));
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(cursor),
            end_cursor: self.edges.last().map(cursor),
        }
    }

    /// What is on the page, each with its cursor.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// What is on the page, without the cursors.
    async fn nodes(&self) -> Refs<'_, T> {
        Refs(self.edges.iter().map(|edge| &edge.node).collect())
    }
}

/// Something in a list, and its place there.
pub(crate) struct Edge<T> {
    places: Places,
    at: usize,
    node: T,
}

impl<T> Edge<T> {
    fn cursor_in(&self, scope: &Scope) -> String {
        scope.app.accounts.cursor(&(self.places)(self.at))
    }
}

/// Something in a list, and its place there.
#[Object(
    concrete(name = "CourseEdge", params(Course)),
    concrete(name = "EnrolmentEdge", params(Enrolment)),
    concrete(name = "ThreadEdge", params(Thread)),
    concrete(name = "PostEdge", params(Post)),
    concrete(name = "ConversationEdge", params(Conversation)),
    concrete(name = "MessageEdge", params(Message)),
    concrete(name = "ForumHitEdge", params(ForumHit)),
    concrete(name = "ReportEdge", params(Report)),
    concrete(name = "ModerationLogEdge", params(ModerationEntry)),
    concrete(name = "PostRevisionEdge", params(PostRevision)),
    concrete(name = "AccessLogEdge", params(AccessLogEntry)),
    concrete(name = "CaseEdge", params(Case)),
    concrete(name = "ReviewEdge", params(Review)),
    concrete(name = "BookmarkEdge", params(Bookmark)),
    concrete(name = "PlaceInLineEdge", params(PlaceInLine)),
    concrete(name = "CohortEdge", params(Cohort)),
    concrete(name = "InvitationEdge", params(Invitation)),
    concrete(name = "RecommendationFeedbackEdge", params(RecommendationFeedback)),
    concrete(name = "SignInEdge", params(SignIn)),
    concrete(name = "NotificationEdge", params(Notification)),
    concrete(name = "AnnouncementEdge", params(Announcement))
)]
impl<T: OutputType> Edge<T> {
    /// Its place: give it to `after` or `before` to go on from here.
    async fn cursor(&self, ctx: &Context<'_>) -> String {
        self.cursor_in(scope(ctx))
    }

    /// What is there.
    async fn node(&self) -> &T {
        &self.node
    }
}

/// The four arguments of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

impl Paging {
    /// The page that is asked for. `list` names the list and its order: a cursor of another is refused.
    pub(crate) fn request<K: DeserializeOwned>(&self, scope: &Scope, list: &str) -> Result<PageRequest<K>, Fault> {
        self.request_of(scope, list, MAX_PAGE)
    }

    /// As [`Paging::request`], of a list whose pages have another greatest length.
    pub(crate) fn request_of<K: DeserializeOwned>(
        &self,
        scope: &Scope,
        list: &str,
        most: usize,
    ) -> Result<PageRequest<K>, Fault> {
        let (limit, direction, cursor) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Fault::bad_input("give either `first` or `last`, not both")),
            (None, None) => {
                return Err(Fault::bad_input(format!("say how many you want: `first` or `last`, at most {most}")));
            }
            (Some(count), None) => (("first", count), Direction::Forward, ("after", &self.after)),
            (None, Some(count)) => (("last", count), Direction::Backward, ("before", &self.before)),
        };
        let other = match direction {
            Direction::Forward => self.before.as_ref().map(|_| ("before", "last")),
            Direction::Backward => self.after.as_ref().map(|_| ("after", "first")),
        };
        if let Some((cursor, count)) = other {
            return Err(Fault::bad_input(format!("`{cursor}` goes with `{count}`")));
        }
        let limit = usize::try_from(limit.1).ok().filter(|limit| *limit <= most).ok_or_else(|| {
            Fault::bad_input(format!("`{}` must be between 0 and {most}; this was {}", limit.0, limit.1))
        })?;
        let from = match cursor {
            (_, None) => None,
            (name, Some(cursor)) => Some(
                decode(&scope.app.accounts, list, cursor)
                    .ok_or_else(|| Fault::bad_input(format!("`{name}` is not a cursor of this list in this order")))?,
            ),
        };
        Ok(PageRequest { limit, direction, from })
    }
}

/// The place of the row with this key. Clients get it sealed: what a list is sorted by need not be for them, and a place
/// that somebody makes up could be used to ask where things are.
fn place<K: Serialize>(list: &str, key: &K) -> Vec<u8> {
    serde_json::to_vec(&(list, key)).unwrap_or_default()
}

fn decode<K: DeserializeOwned>(accounts: &Accounts, list: &str, cursor: &str) -> Option<K> {
    key_of(list, &accounts.place(cursor)?)
}

/// The key of the row at a place, if it is one in this list.
fn key_of<K: DeserializeOwned>(list: &str, place: &[u8]) -> Option<K> {
    let (of, key): (String, K) = serde_json::from_slice(place).ok()?;
    (of == list).then_some(key)
}

/// Reads a place, for fuzzers: what is read is written so that it is read again.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_place(bytes: &[u8]) {
    use crate::db::page::TimeKey;
    if let Some(key) = key_of::<TimeKey>("list", bytes) {
        let written = place("list", &key);
        assert_eq!(key_of::<TimeKey>("list", &written), Some(key));
        assert_eq!(key_of::<TimeKey>("another", &written), None);
    }
}

/// A page as a connection.
pub(crate) fn connection<T, K, N>(
    scope: &Scope,
    list: &str,
    page: &Page<T>,
    key: impl Fn(&T) -> K,
    node: impl Fn(&T) -> N,
) -> Result<Pages<N>, Fault>
where
    K: Serialize + Send + Sync + 'static,
    N: OutputType,
{
    scope.make_room(page.items.len())?;
    let (list, keys): (_, Vec<K>) = (list.to_owned(), page.items.iter().map(key).collect());
    let places: Places = Arc::new(move |at| place(&list, &keys[at]));
    let edge = |(at, item)| Edge { places: Arc::clone(&places), at, node: node(item) };
    let edges = page.items.iter().enumerate().map(edge).collect();
    Ok(Pages { has_previous: page.has_previous, has_next: page.has_next, edges })
}
