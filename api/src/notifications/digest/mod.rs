//! Digests: what somebody is told by mail, in her morning, in her language.
//!
//! A digest in the outbox is an id. What it says is found when it is sent, through the policy, as its reader may see it then:
//! titles, and no names nor bodies of anything. If nothing is left of it, it is not sent.

mod words;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use jiff::{
    civil::Weekday,
    tz::{TimeZone, TimeZoneDatabase},
};
use uuid::Uuid;

use self::words::Language;
use super::{
    is_mailed,
    model::{Notification, NotificationKind},
    store,
};
use crate::{
    access::{
        ANNOUNCEMENT_TITLE, Client, Credential, InCourse, Ledger, Standing, THREAD_TITLE, TokenScope, Viewer, permit,
    },
    accounts::{loaders::Viewpoint, model::Identified},
    announcements,
    app::App,
    courses::{self, model::Course},
    db::DbError,
    forum,
    ids::{AccountId, AnnouncementId, CourseId, PostId, ThreadId},
    mail::model::Text,
    time::Timestamp,
};

/// The same zones on every machine.
static TIME_ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// When a digest is made, where its reader lives.
const HOUR: i8 = 7;

/// The next morning where somebody lives, or the next one of a Monday. Whoever has not said where lives in UTC.
pub(super) fn next_morning(now: Timestamp, zone: Option<&str>, weekly: bool) -> Timestamp {
    morning(now, zone, weekly).unwrap_or(Timestamp(now.0 + 86_400_000_000))
}

fn morning(now: Timestamp, zone: Option<&str>, weekly: bool) -> Option<Timestamp> {
    let zone = zone.and_then(|zone| TIME_ZONES.get(zone).ok()).unwrap_or(TimeZone::UTC);
    let now = jiff::Timestamp::from_microsecond(now.0).ok()?.to_zoned_datetime(zone.clone());
    let mut day = now.date();
    // A week and a day hold every weekday, and a morning that is not over.
    for _ in 0..9 {
        let at = day.at(HOUR, 0, 0, 0).to_zoned_datetime(zone.clone()).ok()?;
        if at > now && (!weekly || day.weekday() == Weekday::Monday) {
            return Some(Timestamp(at.timestamp().as_microsecond()));
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// What a digest says to its reader now; `None` if there is nothing to say, or she does not want it any more.
pub(crate) async fn compose(
    app: &App,
    reader: AccountId,
    (name, base_url): (&str, &str),
    digest: &str,
) -> Result<Option<Text>, DbError> {
    let Ok(digest) = Uuid::try_parse(digest) else { return Ok(None) };
    let Some((language, interface)) = store::digests::reader(&app.db, reader).await? else { return Ok(None) };
    let wanted = app.notifications.preferences(reader).await?;
    if !wanted.by_mail {
        return Ok(None);
    }
    let is_muted = |course, thread: Option<ThreadId>| {
        wanted.mutes.iter().any(|(of, muted)| *of == course && (muted.is_none() || *muted == thread))
    };
    let mut items = store::digests::of_digest(&app.db, reader, digest).await?;
    items.retain(|item| is_mailed(item.kind, &wanted.kinds));
    let seen = Seen::read(app, reader, &items).await?;
    let language = Language::of(interface.as_deref().or(language.as_deref()));
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in &items {
        let Some((course, thread, title)) = seen.of(item) else { continue };
        if item.kind.can_be_muted() && is_muted(course.id, thread) {
            continue;
        }
        let line = language.line(item.kind, item.times, &one_line(title.unwrap_or_default()));
        lines.entry(&course.title).or_default().push(line);
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let unsubscribe = format!("{base_url}/mail/unsubscribe?token={}", app.notifications.unsubscribe_token(reader));
    let mut said = String::new();
    for (course, lines) in lines {
        said += &format!("{}\n", one_line(course));
        for line in lines {
            said += &format!("  - {line}\n");
        }
        said += "\n";
    }
    let body = language.body(name, &said, base_url, &unsubscribe);
    Ok(Some(Text { subject: language.subject().to_owned(), body, unsubscribe: Some(unsubscribe) }))
}

/// A title as it stands in a line, whatever somebody typed into it.
fn one_line(title: &str) -> String {
    title.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// What a digest's notifications are about, as far as its reader may see it.
struct Seen {
    courses: HashMap<CourseId, (Course, bool)>,
    /// Threads by their ids, with their titles.
    threads: HashMap<ThreadId, String>,
    /// Posts that were not removed, and the threads they are in.
    posts: HashMap<PostId, ThreadId>,
    announcements: HashMap<AnnouncementId, String>,
}

impl Seen {
    async fn read(app: &App, reader: AccountId, items: &[Notification]) -> Result<Self, DbError> {
        // A mail is read by whoever has the mailbox: it shows what a token without a second factor shows.
        let credential = Credential {
            client: Client::CommandLine,
            id: None,
            scopes: vec![TokenScope::Read, TokenScope::People],
            two_factor: false,
            network: None,
        };
        let by = Identified { viewer: Viewer::new(reader, credential), holder: None };
        let view = Viewpoint::new(app, &by, None, Ledger::default());
        let mut ids: Vec<_> = items.iter().filter_map(|item| item.course).collect();
        ids.sort();
        ids.dedup();
        let mut courses = HashMap::new();
        let mut forums: HashMap<CourseId, Standing<InCourse>> = HashMap::new();
        let mut members: HashMap<CourseId, Standing<InCourse>> = HashMap::new();
        for course in courses::store::by_ids(&app.db, &ids).await? {
            let is_known = course.is_public() || view.known().await?.membership(course.id).staff;
            forums.insert(course.id, view.to_course(&course).await?);
            members.insert(course.id, view.to_members(&course).await?);
            courses.insert(course.id, (course, is_known));
        }
        let about = |wanted: fn(NotificationKind) -> bool| {
            items.iter().filter(move |item| wanted(item.kind)).filter_map(|item| item.course.zip(item.subject))
        };
        let posts: Vec<_> = about(NotificationKind::is_about_a_post).map(|(course, id)| (course, PostId(id))).collect();
        let posts = forum::store::posts::posts(&app.db, &posts).await?;
        let mut threads: Vec<_> = about(|kind| kind == NotificationKind::Moderated)
            .map(|(course, id)| (course, ThreadId(id)))
            .chain(posts.iter().map(|post| (post.course_id, post.thread_id)))
            .collect();
        threads.sort();
        threads.dedup();
        let threads = forum::store::threads::threads(&app.db, &threads).await?;
        let told: Vec<_> = about(|kind| kind == NotificationKind::Announcement)
            .map(|(course, id)| (course, AnnouncementId(id)))
            .collect();
        let told = announcements::store::by_ids(&app.db, &told).await?;
        let now = app.clock.now();
        Ok(Self {
            courses,
            threads: threads
                .into_iter()
                .filter_map(|thread| {
                    let permit = permit(&THREAD_TITLE, forums.get(&thread.course_id)?).ok()?;
                    Some((thread.id, thread.title.open(permit).clone()))
                })
                .collect(),
            posts: posts
                .into_iter()
                .filter(|post| post.removal.is_none())
                .map(|post| (post.id, post.thread_id))
                .collect(),
            announcements: told
                .into_iter()
                .filter(|announcement| announcement.is_out(now))
                .filter_map(|announcement| {
                    let permit = permit(&ANNOUNCEMENT_TITLE, members.get(&announcement.course_id)?).ok()?;
                    Some((announcement.id, announcement.title.open(permit).clone()))
                })
                .collect(),
        })
    }

    /// In which course, in which thread, under which title; `None` if it is not for her, or not there any more.
    fn of(&self, item: &Notification) -> Option<(&Course, Option<ThreadId>, Option<&str>)> {
        let (course, is_known) = self.courses.get(&item.course?)?;
        let (thread, title) = match item.kind {
            kind if kind.is_about_a_post() => {
                let thread = *self.posts.get(&PostId(item.subject?))?;
                (Some(thread), Some(self.threads.get(&thread)?))
            }
            NotificationKind::Moderated => {
                let thread = ThreadId(item.subject?);
                (Some(thread), Some(self.threads.get(&thread)?))
            }
            NotificationKind::Announcement => (None, Some(self.announcements.get(&AnnouncementId(item.subject?))?)),
            _ => (None, None),
        };
        is_known.then_some((course, thread, title.map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_morning_is_where_its_reader_lives() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        for (now, zone, weekly, morning) in [
            ("2026-03-02T09:00:00Z", None, false, "2026-03-03T07:00:00Z"),
            ("2026-03-02T06:59:59Z", None, false, "2026-03-02T07:00:00Z"),
            ("2026-03-02T07:00:00Z", None, false, "2026-03-03T07:00:00Z"),
            ("2026-03-02T09:00:00Z", Some("Asia/Tokyo"), false, "2026-03-02T22:00:00Z"),
            ("2026-03-02T09:00:00Z", Some("America/New_York"), false, "2026-03-02T12:00:00Z"),
            // The clocks are put forward in the night before.
            ("2026-03-28T20:00:00Z", Some("Europe/Lisbon"), false, "2026-03-29T06:00:00Z"),
            ("2026-03-02T09:00:00Z", Some("Nowhere/Else"), false, "2026-03-03T07:00:00Z"),
            // 2026-03-02 is a Monday.
            ("2026-03-02T06:00:00Z", None, true, "2026-03-02T07:00:00Z"),
            ("2026-03-02T09:00:00Z", None, true, "2026-03-09T07:00:00Z"),
            ("2026-03-05T09:00:00Z", Some("Asia/Tokyo"), true, "2026-03-08T22:00:00Z"),
        ] {
            assert_eq!(next_morning(at(now), zone, weekly), at(morning), "{now} {zone:?}");
        }
    }
}
