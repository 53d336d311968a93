//! Telling people, in the transaction of what happens.
//!
//! Many are told in rounds: the first part with the change itself, the rest soon afterwards (`work.rs`), each part in a
//! transaction with the note of how far it got. So a change costs the same however many follow, and nobody is left out or
//! told twice when a server ends in between.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    digest::next_morning,
    mentions::mentioned,
    model::{Besides, MailFrequency, NewNotification, Notice, NotificationKind, Posted, Round, RoundKind},
    preferences::SETTINGS,
    store,
};
use crate::{
    db::{DbError, Tx},
    ids::{AccountId, AnnouncementId, CourseId, NotificationId, ThreadId},
    live::{self, model::Event},
    time::{Clock, Timestamp},
};

/// So many people are told in one part.
const PART: usize = 500;
/// So many of a part are told live, too; the others find it when they look.
const TOLD_LIVE: usize = 100;
/// Before everybody.
const NOBODY: AccountId = AccountId(Uuid::nil());

/// Notifies people of something, in the transaction in which it happens. Whoever did it is not to be among them.
pub(crate) async fn notify(tx: &mut Tx, clock: &Clock, new: &[NewNotification]) -> Result<(), DbError> {
    let mut by_notice: Vec<(Notice, Vec<AccountId>)> = Vec::new();
    for one in new {
        let group = match one.kind {
            NotificationKind::Message => one.subject,
            NotificationKind::ContentChanged => one.course.map(|course| course.0),
            _ => None,
        };
        let thread = (one.kind == NotificationKind::Moderated).then_some(one.subject).flatten().map(ThreadId);
        let notice = Notice { kind: one.kind, course: one.course, subject: one.subject, group, thread, id: None };
        match by_notice.iter_mut().find(|(other, _)| *other == notice) {
            Some((_, people)) => people.push(one.person),
            None => by_notice.push((notice, vec![one.person])),
        }
    }
    for (notice, mut people) in by_notice {
        people.sort();
        people.dedup();
        for part in people.chunks(PART) {
            tell(tx, clock, &notice, part).await?;
        }
    }
    Ok(())
}

/// Notifies of a new post: who is mentioned, who wrote what it answers, and who follows the thread; of a new thread who
/// follows the forum. Its author follows the thread from now on, if she wants that.
pub(crate) async fn posted(tx: &mut Tx, clock: &Clock, post: &Posted<'_>) -> Result<(), DbError> {
    let thread = (post.course, post.thread);
    if store::preferences::settings_in(tx, post.author).await?.unwrap_or(SETTINGS).1 {
        store::follows::follow(tx, thread, post.author, clock.now()).await?;
    }
    let mut besides = vec![post.author];
    let notice = |kind| Notice {
        kind,
        course: Some(post.course),
        subject: Some(post.post.0),
        group: None,
        thread: Some(post.thread),
        id: None,
    };
    let mentioned: Vec<_> = mentioned(post.body).into_iter().filter(|person| *person != post.author).collect();
    if !mentioned.is_empty() {
        let members = store::follows::members(tx, &mentioned, post.course).await?;
        tell(tx, clock, &notice(NotificationKind::Mention), &members).await?;
        besides.extend(members);
    }
    if let Some(answered) = post.answers.filter(|person| !besides.contains(person)) {
        let readers = store::follows::readers(tx, &[answered], post.course).await?;
        tell(tx, clock, &notice(NotificationKind::Reply), &readers).await?;
        besides.extend(readers);
    }
    let opens = store::follows::opens_thread(tx, thread, post.post).await?;
    let round = Round {
        kind: if opens { RoundKind::Opened } else { RoundKind::Post },
        course: post.course,
        subject: post.post.0,
        thread: Some(post.thread),
        besides: Besides(besides),
        after: NOBODY,
    };
    begin(tx, clock, round).await
}

/// Tells the learners of a course of an announcement, under the announcement's own id.
pub(crate) async fn told(
    tx: &mut Tx,
    clock: &Clock,
    (course, announcement): (CourseId, AnnouncementId),
    author: AccountId,
) -> Result<(), DbError> {
    begin(tx, clock, about(RoundKind::Announced, (course, announcement), vec![author])).await
}

/// Takes back what was told of an announcement.
pub(crate) async fn retracted(
    tx: &mut Tx,
    clock: &Clock,
    (course, announcement): (CourseId, AnnouncementId),
) -> Result<(), DbError> {
    store::rounds::done(tx, (course, announcement.0, RoundKind::Announced)).await?;
    begin(tx, clock, about(RoundKind::Retracted, (course, announcement), Vec::new())).await
}

/// Lets those who follow a thread follow the one that its posts were moved to.
pub async fn merged(tx: &mut Tx, course: CourseId, from: ThreadId, into: ThreadId) -> Result<(), DbError> {
    store::follows::follow_along(tx, course, from, into).await
}

fn about(kind: RoundKind, (course, subject): (CourseId, AnnouncementId), besides: Vec<AccountId>) -> Round {
    Round { kind, course, subject: subject.0, thread: None, besides: Besides(besides), after: NOBODY }
}

/// The first part of a round; what is left is written down.
async fn begin(tx: &mut Tx, clock: &Clock, round: Round) -> Result<(), DbError> {
    if let Some(rest) = advance(tx, clock, round).await? {
        store::rounds::put(tx, &rest, clock.now()).await?;
    }
    Ok(())
}

/// One part of a round; `None` once everybody was told.
pub(super) async fn advance(tx: &mut Tx, clock: &Clock, mut round: Round) -> Result<Option<Round>, DbError> {
    let page = (round.after, PART as i64);
    let people = match (round.kind, round.thread) {
        (RoundKind::Post, Some(thread)) => {
            store::follows::followers(tx, (round.course, thread), round.after, page.1).await?
        }
        (RoundKind::Opened, _) => store::follows::forum_followers(tx, round.course, round.after, page.1).await?,
        (RoundKind::Announced, _) => store::follows::learners(tx, round.course, false, page).await?,
        (RoundKind::Retracted, _) => store::follows::learners(tx, round.course, true, page).await?,
        (RoundKind::Post, None) => Vec::new(),
    };
    let Some(last) = people.last().copied() else { return Ok(None) };
    let is_whole = people.len() < PART;
    let mut wanted: Vec<_> = people.into_iter().filter(|person| !round.besides.0.contains(person)).collect();
    match round.kind {
        RoundKind::Post | RoundKind::Opened => {
            if !wanted.is_empty() {
                wanted = store::follows::readers(tx, &wanted, round.course).await?;
            }
            let notice = Notice {
                kind: NotificationKind::Post,
                course: Some(round.course),
                subject: Some(round.subject),
                group: round.thread.map(|thread| thread.0),
                thread: round.thread,
                id: None,
            };
            tell(tx, clock, &notice, &wanted).await?;
        }
        RoundKind::Announced => {
            let notice = Notice {
                kind: NotificationKind::Announcement,
                course: Some(round.course),
                subject: Some(round.subject),
                group: None,
                thread: None,
                id: Some(NotificationId(round.subject)),
            };
            tell(tx, clock, &notice, &wanted).await?;
        }
        RoundKind::Retracted => store::take_back(tx, &wanted, NotificationId(round.subject)).await?,
    }
    round.after = last;
    Ok((!is_whole).then_some(round))
}

/// Writes a notification for each of these people who wants it, and when it is due by mail. At most [`PART`] people.
async fn tell(tx: &mut Tx, clock: &Clock, notice: &Notice, people: &[AccountId]) -> Result<(), DbError> {
    if people.is_empty() {
        return Ok(());
    }
    let mut people = people.to_vec();
    // Two that tell the same people take them in the same order.
    people.sort();
    if let Some(course) = notice.course.filter(|_| notice.kind.can_be_muted()) {
        let muted = store::preferences::muted(tx, &people, (course, notice.thread)).await?;
        people.retain(|person| !muted.contains(person));
    }
    let said: BTreeMap<_, _> = store::preferences::of_kind(tx, &people, notice.kind).await?.into_iter().collect();
    let channels = |person: &AccountId| said.get(person).copied().unwrap_or_else(|| notice.kind.channels());
    let to_mail: Vec<_> =
        people.iter().copied().filter(|person| channels(person).mail != MailFrequency::Never).collect();
    let zones = zones(tx, &to_mail).await?;
    let now = clock.now();
    let mut mornings: BTreeMap<(Option<String>, bool), Timestamp> = BTreeMap::new();
    // Those whose notifications are alike are written together: a handful of statements, since there are few time zones.
    let mut alike: BTreeMap<(bool, Option<Timestamp>), Vec<AccountId>> = BTreeMap::new();
    for person in people {
        let wanted = channels(&person);
        let mail_at = zones.get(&person).map(|zone| {
            let weekly = wanted.mail == MailFrequency::DigestWeekly;
            *mornings.entry((zone.clone(), weekly)).or_insert_with(|| next_morning(now, zone.as_deref(), weekly))
        });
        if wanted.in_graph || mail_at.is_some() {
            alike.entry((wanted.in_graph, mail_at)).or_default().push(person);
        }
    }
    let mut live = 0;
    for ((listed, mail_at), people) in alike {
        let id = notice.id.unwrap_or_else(|| clock.id());
        for (person, notification) in store::put(tx, &people, (id, notice), (listed, mail_at), now).await? {
            if listed && live < TOLD_LIVE {
                live += 1;
                live::announce(tx, &Event::Notified { person, notification });
            }
        }
    }
    Ok(())
}

/// Those of these people who can be written to and want that, with their time zones.
async fn zones(tx: &mut Tx, people: &[AccountId]) -> Result<BTreeMap<AccountId, Option<String>>, DbError> {
    if people.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut zones: BTreeMap<_, _> = store::preferences::zones(tx, people).await?.into_iter().collect();
    if !zones.is_empty() {
        for person in store::preferences::without_mail(tx, people).await? {
            zones.remove(&person);
        }
    }
    Ok(zones)
}
