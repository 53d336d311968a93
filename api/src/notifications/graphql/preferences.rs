//! What somebody wants to hear, in the graph.

use async_graphql::{Context, Enum, ID, InputObject, OneofObject, SimpleObject};
use stoa_macros::Object;

use super::{NotificationKind, Refusal, user_error};
use crate::{
    access::{COURSE_FORUM, Permit, TokenScope, permit, tags},
    accounts::graphql::Person,
    courses::graphql::Course,
    forum::graphql::Thread,
    graphql::{
        errors::{Fault, UserError},
        node,
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId, ThreadId},
    notifications::model::{self, PreferencesChange},
};

/// How often something is told by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::MailFrequency")]
pub(crate) enum MailFrequency {
    /// Never.
    Never,
    /// In a mail the next morning.
    DigestDaily,
    /// In a mail in the morning of the next Monday.
    DigestWeekly,
}

/// What somebody wants to hear, and how.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreferences {
    /// Whether she wants mails at all. The link in each of them sets this to false. Nothing is mailed to an address that is not
    /// verified.
    by_mail: bool,
    /// Whether she follows a thread as soon as she writes in it.
    follow_when_posting: bool,
    /// Kind by kind, all of them.
    kinds: Vec<NotificationPreference>,
    /// The courses and threads of which she wants to hear nothing.
    mutes: Vec<NotificationMute>,
}

impl NotificationPreferences {
    /// Somebody's preferences.
    pub(crate) async fn load(
        scope: &Scope,
        person: AccountId,
        _permit: Permit<tags::Notification>,
    ) -> Result<Self, Fault> {
        let found = scope.app.notifications.preferences(person).await?;
        scope.make_room(found.mutes.len())?;
        Ok(Self {
            by_mail: found.by_mail,
            follow_when_posting: found.follow_when_posting,
            kinds: found
                .kinds
                .into_iter()
                .map(|(kind, channels)| NotificationPreference {
                    kind: kind.into(),
                    in_graph: channels.in_graph,
                    mail: channels.mail.into(),
                })
                .collect(),
            mutes: found.mutes.into_iter().map(|(course, thread)| NotificationMute { course, thread }).collect(),
        })
    }
}

/// Where somebody is told of a kind of thing.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreference {
    /// The kind.
    kind: NotificationKind,
    /// Whether it stands in her list of notifications.
    in_graph: bool,
    /// How often it is told by mail.
    mail: MailFrequency,
}

/// A course or thread of which somebody wants to hear nothing. What concerns her alone she hears anyhow: private messages,
/// seats, invitations, decisions of moderators.
pub(crate) struct NotificationMute {
    course: CourseId,
    thread: Option<ThreadId>,
}

/// A course or thread of which somebody wants to hear nothing. What concerns her alone she hears anyhow: private messages,
/// seats, invitations, decisions of moderators.
#[Object]
impl NotificationMute {
    /// The course, or that of the thread; null if it is not for her any more.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.course).await.transpose()
    }

    /// The thread; null if it is the whole course that is muted.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread, Fault>> {
        Thread::find(scope(ctx), self.course, self.thread?).await.transpose()
    }

    /// Whether it is the whole course.
    async fn is_whole_course(&self) -> bool {
        self.thread.is_none()
    }
}

/// What to change for a kind of thing. What is left out stays.
#[derive(Debug, InputObject)]
pub(crate) struct NotificationPreferenceInput {
    /// The kind.
    kind: NotificationKind,
    /// Whether it stands in the list of notifications.
    in_graph: Option<bool>,
    /// How often it is told by mail.
    mail: Option<MailFrequency>,
}

/// What to change of your preferences. What is left out stays.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateNotificationPreferencesInput {
    /// Whether you want mails at all.
    by_mail: Option<bool>,
    /// Whether you follow a thread as soon as you write in it.
    follow_when_posting: Option<bool>,
    /// What to change kind by kind.
    kinds: Option<Vec<NotificationPreferenceInput>>,
}

/// What to mute, or not any more.
#[derive(Debug, InputObject)]
pub(crate) struct MuteNotificationsInput {
    /// What.
    what: MuteTargetInput,
    /// Whether to mute it.
    #[graphql(default = true)]
    muted: bool,
}

/// What can be muted: a course, or a thread.
#[derive(Debug, OneofObject)]
pub(crate) enum MuteTargetInput {
    /// The global id of the course.
    CourseId(ID),
    /// The global id of the thread.
    ThreadId(ID),
}

/// What became of your preferences.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreferencesPayload {
    /// You; null if there were errors: then nothing was changed.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// Changing what you want to hear.
#[derive(Default)]
pub(crate) struct PreferenceMutation;

/// Changing what you want to hear.
#[async_graphql::Object]
impl PreferenceMutation {
    /// Changes of what you are notified, and how. It counts for what comes; what waits to be mailed and is no longer wanted is
    /// not mailed.
    async fn update_notification_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateNotificationPreferencesInput,
    ) -> Result<NotificationPreferencesPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Account)?;
        let kinds = input.kinds.unwrap_or_default();
        let change = PreferencesChange {
            by_mail: input.by_mail,
            follow_when_posting: input.follow_when_posting,
            kinds: kinds.into_iter().map(|one| (one.kind.into(), one.in_graph, one.mail.map(Into::into))).collect(),
        };
        scope.app.notifications.change_preferences(person, &change).await?;
        changed(scope, person).await
    }

    /// Mutes a course or a thread: you hear nothing of it, but for what concerns you alone.
    async fn mute_notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to mute.")] input: MuteNotificationsInput,
    ) -> Result<NotificationPreferencesPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Account)?;
        let refused = |refusal| {
            let mut error = user_error(refusal);
            if matches!(refusal, Refusal::NoSuchThread | Refusal::NoSuchCourse) {
                error.path.splice(0..0, ["input", "what"].map(str::to_owned));
            }
            NotificationPreferencesPayload { person: None, user_errors: vec![error] }
        };
        let what = match &input.what {
            MuteTargetInput::CourseId(course) => (node::course_id(course)?, None),
            MuteTargetInput::ThreadId(thread) => {
                let (course, thread) = node::thread_id(thread)?;
                (course, Some(thread))
            }
        };
        // What is muted can be heard again even after one has left.
        if input.muted && !is_there(scope, what).await? {
            let refusal = if what.1.is_some() { Refusal::NoSuchThread } else { Refusal::NoSuchCourse };
            return Ok(refused(refusal));
        }
        match scope.app.notifications.mute(person, what, input.muted).await? {
            Ok(()) => changed(scope, person).await,
            Err(refusal) => Ok(refused(refusal)),
        }
    }
}

async fn is_there(scope: &Scope, (course, thread): (CourseId, Option<ThreadId>)) -> Result<bool, Fault> {
    if let Some(thread) = thread {
        return Ok(Thread::find(scope, course, thread).await?.is_some());
    }
    match Course::find(scope, course).await? {
        Some(course) => Ok(permit(&COURSE_FORUM, &course.standing(scope).await?).is_ok()),
        None => Ok(false),
    }
}

async fn changed(scope: &Scope, person: AccountId) -> Result<NotificationPreferencesPayload, Fault> {
    scope.forget();
    Ok(NotificationPreferencesPayload { person: Person::load(scope, person).await?, user_errors: Vec::new() })
}
