//! What there is to read: threads with something that somebody has not read yet.

use std::{collections::HashMap, sync::Arc};

use super::{
    heads::heads,
    model::{ReadState, UnreadThread},
    states, store,
};
use crate::{
    db::{
        Db, DbError, Memory,
        page::{PageRequest, TimeKey},
    },
    forum::{kept::Kept, store::threads},
    ids::{AccountId, CourseId},
};

/// So many threads of a forum are looked at, the latest first, for those that are not read.
const LOOKED_AT: usize = 1_500;
/// And so many at once by those who have looked into very many.
const AT_ONCE: i64 = 300;
/// What is read is read from a forum at once if it is of no more threads than this. Few people look into more of one forum.
const MANY: usize = 500;

/// Of each forum the threads of a page in which there is something that somebody has not read, and one more: one statement for all of
/// the forums that are kept, two where there are others.
pub(super) async fn unread_threads(
    kept: &Kept,
    reader: AccountId,
    courses: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<(CourseId, UnreadThread)>, DbError> {
    let db = kept.db();
    let mut known = store::marks_of_forums(db, reader, courses, MANY + 1).await?;
    let mut looked_into = HashMap::<CourseId, usize>::new();
    for (course, _) in known.threads.keys() {
        *looked_into.entry(*course).or_default() += 1;
    }
    let (often, seldom): (Vec<CourseId>, Vec<CourseId>) =
        courses.iter().partition(|course| looked_into.get(course).is_some_and(|threads| *threads > MANY));
    let mut found = Vec::new();
    let mut walked = Vec::new();
    let heads = if request.is_forward() { heads(kept, &seldom).await? } else { HashMap::new() };
    for course in seldom {
        let since = known.forums.get(&course).copied();
        let mark_of = |thread| known.threads.get(&(course, thread)).copied();
        match heads.get(&course).and_then(|head| head.unread(reader, since, mark_of, request)) {
            Some(threads) => found.extend(threads.into_iter().map(|unread| (course, unread))),
            None => walked.push(course),
        }
    }
    db.looked_up(Memory::Forums, courses.len() - walked.len() - often.len(), walked.len() + often.len());
    if !walked.is_empty() {
        known.threads.retain(|(course, _), _| walked.contains(course));
        let threads = store::unread::unread_threads(db, reader, &walked, &known, request, LOOKED_AT).await?;
        found.extend(threads.into_iter().map(|unread| (unread.thread.course_id, unread)));
    }
    for course in often {
        let since = known.forums.get(&course).map_or(i64::MIN, |at| at.0);
        let threads = step_by_step(db, reader, course, since, request).await?;
        found.extend(threads.into_iter().map(|thread| (course, thread)));
    }
    Ok(found)
}

/// The same of one forum in which somebody has looked into very many threads: here what she has read is asked for some threads at a time.
async fn step_by_step(
    db: &Db,
    reader: AccountId,
    course: CourseId,
    since: i64,
    request: &PageRequest<TimeKey>,
) -> Result<Vec<UnreadThread>, DbError> {
    let mut states_of = Vec::new();
    let mut from = request.start(false);
    let mut looked_at = 0;
    while looked_at < LOOKED_AT && states_of.len() <= request.limit {
        let threads = store::latest_threads(db, course, since, from, request.is_forward(), AT_ONCE).await?;
        let Some((last, at)) = threads.last().copied() else { break };
        from = (at.0, last.0);
        looked_at += threads.len();
        let keys: Vec<_> = threads.iter().map(|(thread, _)| (course, *thread)).collect();
        let read = states(db, reader, &keys).await?;
        states_of.extend(keys.into_iter().filter_map(|key| {
            let (mark, unread) = read.get(&key).filter(|(_, unread)| *unread > 0)?;
            Some((key, ReadState::new(mark.map(|mark| mark.at), *unread)))
        }));
        if threads.len() < AT_ONCE as usize {
            break;
        }
    }
    states_of.truncate(request.limit + 1);
    let keys: Vec<_> = states_of.iter().map(|(key, _)| *key).collect();
    let threads = threads::threads(db, &keys).await?;
    let mut threads: HashMap<_, _> = threads.into_iter().map(|thread| (thread.id, Arc::new(thread))).collect();
    let unread = |((_, id), state)| threads.remove(&id).map(|thread| UnreadThread { thread, state });
    Ok(states_of.into_iter().filter_map(unread).collect())
}
