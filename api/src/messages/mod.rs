//! Private messages between a learner and staff of a course, about that course.
//!
//! A conversation is with one learner, and with some of the staff: those whom she wrote to, and those whom they added, with her
//! knowledge. Nobody else reads it: no other staff of the course, no administrator, and no case opens it.
//!
//! - Learners write to staff, staff to learners of their courses. Learners do not write to each other.
//! - Staff takes part as long as it is staff of the course. Who is removed from it loses the conversation at once.
//! - A learner reads her conversations for ever. For [`WRITE_AFTER_DAYS`] days after she left the course, both sides may write.
//! - Who is added later sees what is said from then on, not what was said before.
//! - A message can be changed for [`EDIT_MINUTES`] minutes, and shows that it was. It can be deleted for both at any time; then its
//!   text is erased and its place stays.
//!
//! Invariant: what is said stands in `message_bodies` alone, and goes to no log, notification or mail.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use crate::{
    db::{Db, DbError, Tx},
    idempotency::{self, Claim, KeyRefusal},
    ids::{AccountId, ConversationId, CourseId, MessageId},
    live::{self, model::Event},
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
    time::{Clock, Timestamp},
};
use model::{Member, NewConversation, Part};
use store::Key;

/// The longest subject, in characters.
pub const MAX_SUBJECT: usize = 200;
/// The longest message, in characters.
pub const MAX_BODY: usize = 20_000;
/// So many people take part in a conversation at most.
pub const MAX_MEMBERS: usize = 12;
/// So many messages somebody sends in an hour at most.
pub const MAX_AN_HOUR: i64 = 60;
/// For so many minutes a message can be changed.
pub const EDIT_MINUTES: i64 = 15;
/// For so many days after the learner left the course it is possible to write.
pub const WRITE_AFTER_DAYS: i64 = 30;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Why something was not done: what a person can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither learner nor staff of the course.
    #[error("you neither take nor teach this course: enroll first")]
    NotEnrolled,
    /// A learner may write to staff only.
    #[error("a learner can write to the staff of her course only: choose recipients from `Course.staff`")]
    StaffOnly,
    /// A conversation is with one learner.
    #[error("a conversation is with exactly one learner of the course, and perhaps more of its staff")]
    OneLearner,
    /// None, oneself, or too many.
    #[error("a conversation has 1 to {} recipients, and you are not one of them", MAX_MEMBERS - 1)]
    Recipients,
    /// It is full.
    #[error("at most {MAX_MEMBERS} people take part in a conversation")]
    TooManyMembers,
    /// Empty or too long.
    #[error("a subject has 1 to {MAX_SUBJECT} characters; this one has {0}")]
    Subject(usize),
    /// Empty or too long.
    #[error("a message has 1 to {MAX_BODY} characters; this one has {0}")]
    Body(usize),
    /// No such conversation, or she takes no part in it.
    #[error("there is no such conversation")]
    NoSuchConversation,
    /// No such message, or she takes no part in its conversation.
    #[error("there is no such message")]
    NoSuchMessage,
    /// Somebody else's message.
    #[error("this message is not yours")]
    NotYours,
    /// It was sent too long ago, or is deleted.
    #[error(
        "a message can be changed for {EDIT_MINUTES} minutes after it was sent, and not once it is deleted: send another"
    )]
    TooLate,
    /// The learner left the course.
    #[error("the learner left the course more than {WRITE_AFTER_DAYS} days ago: nothing more can be written here")]
    Closed,
    /// Only staff adds staff.
    #[error("only the staff in a conversation can add somebody, and only staff of the course")]
    StaffAdds,
    /// Too many messages.
    #[error("you have sent {MAX_AN_HOUR} messages within an hour: write again in {0} minutes")]
    TooMany(i64),
    /// The idempotency key can't be used.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

/// The service for private messages.
#[derive(Clone, Debug)]
pub struct Messages {
    db: Db,
    clock: Clock,
}

/// Who does something: the viewer, and whether she is staff of the course and may act as that now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) account: AccountId,
    pub(crate) teaches: bool,
}

impl Messages {
    /// The service.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Begins a conversation with its first message.
    pub(crate) async fn start(
        &self,
        actor: Actor,
        mut new: NewConversation,
    ) -> Result<Result<ConversationId, Refusal>, DbError> {
        let subject = new.subject.trim();
        if let Err(refusal) =
            length(subject, MAX_SUBJECT, Refusal::Subject).and(length(&new.body, MAX_BODY, Refusal::Body))
        {
            return Ok(Err(refusal));
        }
        new.recipients.sort_unstable();
        new.recipients.dedup();
        if new.recipients.is_empty() || new.recipients.len() >= MAX_MEMBERS || new.recipients.contains(&actor.account) {
            return Ok(Err(Refusal::Recipients));
        }
        let (learner, staff) = match self.parts(actor, new.course, &new.recipients).await? {
            Ok(parts) => parts,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let recipients: Vec<u8> = new.recipients.iter().flat_map(|account| account.0.into_bytes()).collect();
        let request: [&[u8]; 4] = [new.course.0.as_bytes(), &recipients, subject.as_bytes(), new.body.as_bytes()];
        let id: ConversationId = self.clock.id();
        let (mut tx, key) = match self.once(actor, new.key.as_deref(), "startConversation", &request).await? {
            Ok(Once::First(tx, key)) => (tx, key),
            Ok(Once::Again(id)) => return Ok(Ok(id.into())),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let now = self.clock.now();
        let conversation = (new.course, id);
        store::insert_conversation(&mut tx, conversation, learner, subject, now).await?;
        let staff = staff.into_iter().map(|account| (account, Part::Staff));
        let mut members = Vec::new();
        for (account, part) in std::iter::once((learner, Part::Learner)).chain(staff) {
            let member = Member { account, part, joined_at: now, sees_from: now };
            let unread = (Timestamp(i64::MIN), uuid::Uuid::nil());
            store::insert_member(&mut tx, conversation, &member, unread).await?;
            members.push(account);
        }
        self.write(&mut tx, conversation, actor.account, &new.body, &members, &members).await?;
        if let Some(key) = key {
            key.keep(&mut tx, &id.0.to_string()).await?;
        }
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// With which learner and which staff the conversation would be.
    async fn parts(
        &self,
        actor: Actor,
        course: CourseId,
        recipients: &[AccountId],
    ) -> Result<Result<(AccountId, Vec<AccountId>), Refusal>, DbError> {
        let staff = store::staff_among(&self.db, course, recipients).await?;
        let takes = store::left_at(&self.db, actor.account, course).await? == Some(None);
        if takes && staff.len() == recipients.len() {
            return Ok(Ok((actor.account, staff)));
        }
        if !actor.teaches {
            // Who else takes the course is not for her, so it makes no difference here.
            return Ok(Err(if takes { Refusal::StaffOnly } else { Refusal::NotEnrolled }));
        }
        let others: Vec<_> = recipients.iter().copied().filter(|account| !staff.contains(account)).collect();
        let [learner] = others[..] else { return Ok(Err(Refusal::OneLearner)) };
        if store::left_at(&self.db, learner, course).await? != Some(None) {
            return Ok(Err(Refusal::OneLearner));
        }
        Ok(Ok((learner, staff.into_iter().chain([actor.account]).collect())))
    }

    /// Sends a message in a conversation.
    pub(crate) async fn send(
        &self,
        actor: Actor,
        conversation: Key,
        body: &str,
        key: Option<&str>,
    ) -> Result<Result<MessageId, Refusal>, DbError> {
        if let Err(refusal) = length(body, MAX_BODY, Refusal::Body) {
            return Ok(Err(refusal));
        }
        let Some((_, members)) = self.taking_part(actor, conversation).await? else {
            return Ok(Err(Refusal::NoSuchConversation));
        };
        if !self.is_open(conversation, &members).await? {
            return Ok(Err(Refusal::Closed));
        }
        // Before the transaction: within it, a second connection could be waited for by all who wait for this one.
        let readers = self.readers(conversation.0, &members).await?;
        let request: [&[u8]; 3] = [conversation.0.0.as_bytes(), conversation.1.0.as_bytes(), body.as_bytes()];
        let (mut tx, key) = match self.once(actor, key, "sendMessage", &request).await? {
            Ok(Once::First(tx, key)) => (tx, key),
            Ok(Once::Again(id)) => return Ok(Ok(id.into())),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let all: Vec<_> = members.iter().map(|member| member.account).collect();
        let id = self.write(&mut tx, conversation, actor.account, body, &all, &readers).await?;
        if let Some(key) = key {
            key.keep(&mut tx, &id.0.to_string()).await?;
        }
        tx.commit().await?;
        Ok(Ok(id))
    }

    /// Lets one more of the staff take part. She sees what is said from now on; the others are notified.
    pub(crate) async fn add(
        &self,
        actor: Actor,
        conversation: Key,
        person: AccountId,
    ) -> Result<Result<(), Refusal>, DbError> {
        let Some((me, members)) = self.taking_part(actor, conversation).await? else {
            return Ok(Err(Refusal::NoSuchConversation));
        };
        let is_staff = !store::staff_among(&self.db, conversation.0, &[person]).await?.is_empty();
        let is_learner = members.iter().any(|member| member.account == person && member.part == Part::Learner);
        if me.part != Part::Staff || !is_staff || is_learner {
            return Ok(Err(Refusal::StaffAdds));
        }
        if members.iter().any(|member| member.account == person) {
            return Ok(Ok(()));
        }
        if members.len() >= MAX_MEMBERS {
            return Ok(Err(Refusal::TooManyMembers));
        }
        let now = self.clock.now();
        let readers = self.readers(conversation.0, &members).await?;
        let mut tx = self.db.begin().await?;
        let member = Member { account: person, part: Part::Staff, joined_at: now, sees_from: now };
        if store::insert_member(&mut tx, conversation, &member, (now, uuid::Uuid::nil())).await? {
            let told: Vec<_> = readers.into_iter().filter(|account| *account != actor.account).collect();
            let mut told = store::hearing(&mut tx, conversation, &told).await?;
            told.push(person);
            self.notify(&mut tx, conversation, &told).await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Notes that somebody has read a conversation up to a message; without one, up to its last.
    pub(crate) async fn mark_read(
        &self,
        actor: Actor,
        conversation: Key,
        up_to: Option<MessageId>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let Some((me, _)) = self.taking_part(actor, conversation).await? else {
            return Ok(Err(Refusal::NoSuchConversation));
        };
        let mark = match up_to {
            None => store::last_message(&self.db, conversation).await?,
            Some(id) => match store::messages(&self.db, &[(conversation.0, id)]).await?.pop() {
                Some(message) if message.conversation_id == conversation.1 && message.created_at >= me.sees_from => {
                    Some((message.created_at, id))
                }
                _ => return Ok(Err(Refusal::NoSuchMessage)),
            },
        };
        if let Some(mark) = mark {
            store::mark_read(&self.db, actor.account, conversation, mark).await?;
        }
        Ok(Ok(()))
    }

    /// Whether somebody wants to hear nothing of a conversation.
    pub(crate) async fn mute(
        &self,
        actor: Actor,
        conversation: Key,
        muted: bool,
    ) -> Result<Result<(), Refusal>, DbError> {
        if self.taking_part(actor, conversation).await?.is_none() {
            return Ok(Err(Refusal::NoSuchConversation));
        }
        store::mute(&self.db, actor.account, conversation, muted.then(|| self.clock.now())).await?;
        Ok(Ok(()))
    }

    /// Changes what a message says, shortly after it was sent. What it said before is not kept.
    pub(crate) async fn edit(
        &self,
        actor: Actor,
        message: (CourseId, MessageId),
        body: &str,
    ) -> Result<Result<(), Refusal>, DbError> {
        if let Err(refusal) = length(body, MAX_BODY, Refusal::Body) {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = self.own(actor, message).await? {
            return Ok(Err(refusal));
        }
        let now = self.clock.now();
        let since = Timestamp(now.0 - EDIT_MINUTES * 60_000_000);
        let mut tx = self.db.begin().await?;
        if !store::edit(&mut tx, message, actor.account, (since, now), body).await? {
            return Ok(Err(Refusal::TooLate));
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Erases what a message says, for everybody. Doing it again changes nothing.
    pub(crate) async fn delete(
        &self,
        actor: Actor,
        message: (CourseId, MessageId),
    ) -> Result<Result<(), Refusal>, DbError> {
        if let Err(refusal) = self.own(actor, message).await? {
            return Ok(Err(refusal));
        }
        let mut tx = self.db.begin().await?;
        store::delete(&mut tx, message, actor.account, self.clock.now()).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Whether a message is of somebody who takes part in its conversation still.
    async fn own(&self, actor: Actor, (course, id): (CourseId, MessageId)) -> Result<Result<(), Refusal>, DbError> {
        let Some(message) = store::messages(&self.db, &[(course, id)]).await?.pop() else {
            return Ok(Err(Refusal::NoSuchMessage));
        };
        let me = self.taking_part(actor, (course, message.conversation_id)).await?;
        Ok(match me {
            Some((me, _)) if message.created_at >= me.sees_from => {
                if message.author_id == actor.account {
                    Ok(())
                } else {
                    Err(Refusal::NotYours)
                }
            }
            _ => Err(Refusal::NoSuchMessage),
        })
    }

    /// As what somebody takes part in a conversation, and everybody who does; `None` if she does not, or not any more.
    async fn taking_part(&self, actor: Actor, conversation: Key) -> Result<Option<(Member, Vec<Member>)>, DbError> {
        let found = store::members(&self.db, &[conversation]).await?;
        let members: Vec<_> = found.into_iter().map(|(_, member)| member).collect();
        let me = members.iter().find(|member| member.account == actor.account).cloned();
        Ok(me.filter(|me| me.part == Part::Learner || actor.teaches).map(|me| (me, members)))
    }

    /// Those who take part and may read it now: staff that was removed from the course may not.
    async fn readers(&self, course: CourseId, members: &[Member]) -> Result<Vec<AccountId>, DbError> {
        let staff = |member: &&Member| member.part == Part::Staff;
        let of_staff: Vec<_> = members.iter().filter(staff).map(|member| member.account).collect();
        let mut readers = store::staff_among(&self.db, course, &of_staff).await?;
        readers.extend(members.iter().filter(|member| !staff(member)).map(|member| member.account));
        Ok(readers)
    }

    /// Whether it is possible to write: the learner takes the course, or left it not long ago.
    async fn is_open(&self, (course, _): Key, members: &[Member]) -> Result<bool, DbError> {
        let Some(learner) = members.iter().find(|member| member.part == Part::Learner) else { return Ok(false) };
        Ok(match store::left_at(&self.db, learner.account, course).await? {
            Some(Some(left_at)) => left_at.0 > self.clock.now().0 - WRITE_AFTER_DAYS * DAY,
            Some(None) => true,
            None => false,
        })
    }

    /// Begins a transaction in which something is done once, if it was not done before under this key, and if it is not too much.
    async fn once(
        &self,
        actor: Actor,
        key: Option<&str>,
        operation: &str,
        request: &[&[u8]],
    ) -> Result<Result<Once, Refusal>, DbError> {
        let key = match key.map(|key| idempotency::Key::new(actor.account, key, operation, request)).transpose() {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if let Some(key) = &key {
            match key.claim(&mut tx, now).await? {
                Claim::First => {}
                Claim::Again(id) => return Ok(Ok(Once::Again(id.parse().unwrap_or_default()))),
                Claim::Other => return Ok(Err(KeyRefusal::Reused.into())),
            }
        }
        let (since, sent) = store::take_quota(&mut tx, actor.account, now, Timestamp(now.0 - HOUR)).await?;
        if sent > MAX_AN_HOUR {
            return Ok(Err(Refusal::TooMany((since.0 + HOUR - now.0).div_euclid(60_000_000) + 1)));
        }
        Ok(Ok(Once::First(tx, key)))
    }

    /// Writes a message and tells of it.
    async fn write(
        &self,
        tx: &mut Tx,
        conversation: Key,
        author: AccountId,
        body: &str,
        members: &[AccountId],
        readers: &[AccountId],
    ) -> Result<MessageId, DbError> {
        let (id, now): (MessageId, _) = (self.clock.id(), self.clock.now());
        store::insert_message(tx, conversation, (id, author, now), body, members).await?;
        let others: Vec<_> = readers.iter().copied().filter(|account| *account != author).collect();
        let told = store::hearing(tx, conversation, &others).await?;
        self.notify(tx, conversation, &told).await?;
        let (course, conversation) = conversation;
        live::announce(tx, &Event::MessageAdded { course, conversation, message: id });
        Ok(id)
    }

    async fn notify(&self, tx: &mut Tx, (course, conversation): Key, people: &[AccountId]) -> Result<(), DbError> {
        let kind = NotificationKind::Message;
        let new = |person: &AccountId| NewNotification {
            person: *person,
            kind,
            course: Some(course),
            subject: Some(conversation.0),
        };
        notifications::notify(tx, &self.clock, &people.iter().map(new).collect::<Vec<_>>()).await
    }
}

/// Whether something is to be done.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
enum Once {
    /// In this transaction; then the key is to be kept.
    First(Tx, Option<idempotency::Key>),
    /// It was done before, and this came of it.
    Again(uuid::Uuid),
}

fn length(text: &str, most: usize, refusal: fn(usize) -> Refusal) -> Result<(), Refusal> {
    let letters = text.chars().count();
    if text.trim().is_empty() {
        Err(refusal(0))
    } else if letters > most {
        Err(refusal(letters))
    } else {
        Ok(())
    }
}
