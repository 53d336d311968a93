//! A transaction full of beats and scores.
//!
//! Each step takes all learners at once: what they send is admitted or refused, what is known of them is read and held, what
//! comes of it is worked out in memory, and written. So a transaction has some ten statements, however many beats it takes.
//! Courses are held first, then enrolments by learner, the sums of courses last: no two of these wait for each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use super::{
    activity::{Answer, Beat, BeatRefusal, Entry, LATE_DAYS, MARKED_AHEAD, MAX_AHEAD, MAX_SECONDS, What},
    lesson::{new_state, rule_of, settle, take_beat},
    model::{CapReason, Progress, Recorded},
    spans::{Claim, Measured},
    store::activity::{self as store, BeatRow, HeldRow, KnownRow, LessonRow, Pair, StateRow},
};
use crate::{
    courses::model::Completion,
    db::{Db, DbError, Tx},
    ids::{AccountId, CourseId, LessonId},
    live::{self, model::Event},
    recommendations,
    time::{Clock, Timestamp},
};

const SECOND: i64 = 1_000_000;
/// Who listens is told of time alone once in so many seconds, and of progress at once.
const TOLD_EVERY: i64 = 60;

/// A beat that is admitted.
struct NewBeat {
    /// Whose answer it is.
    entry: usize,
    row: BeatRow,
    beat: Beat,
}

/// What is admitted for one learner in one course.
#[derive(Default)]
struct Work {
    beats: Vec<NewBeat>,
    scores: Vec<(LessonId, i64)>,
}

/// What is known at the beginning.
struct Batch {
    now: Timestamp,
    lessons: HashMap<LessonId, LessonRow>,
    held: BTreeMap<Pair, HeldRow>,
    known: HashMap<(AccountId, Uuid), KnownRow>,
}

/// What is to be written.
#[derive(Default)]
struct Writes {
    beats: Vec<(BeatRow, i64, Option<CapReason>)>,
    states: Vec<StateRow>,
    enrolments: Vec<HeldRow>,
    /// Enrolments that are whole now, or whose completion may have been earlier; whether they are new.
    completions: Vec<(Pair, bool)>,
    events: Vec<Event>,
}

pub(super) async fn apply(db: &Db, clock: &Clock, entries: &[&Entry]) -> Result<Vec<Answer>, DbError> {
    let mut tx = db.begin().await?;
    let batch = read(&mut tx, clock, entries).await?;
    let mut answers: Vec<Answer> = Vec::with_capacity(entries.len());
    let mut work: BTreeMap<Pair, Work> = BTreeMap::new();
    let mut first: HashMap<(AccountId, Uuid), (usize, BeatRow)> = HashMap::new();
    let mut again: Vec<(usize, usize)> = Vec::new();
    for (entry, sent) in entries.iter().enumerate() {
        let admitted = batch.admit(clock, sent).map(|admitted| match admitted {
            Admitted::Known(recorded) => recorded,
            Admitted::Score(pair, score) => {
                work.entry(pair).or_default().scores.push((sent.lesson, score));
                Recorded { course_id: pair.1, counted: 0, capped: 0, reason: None, replayed: false }
            }
            Admitted::Beat(row, beat) => {
                let pair = (row.learner_id, row.course_id);
                let replayed = beat.id.and_then(|id| first.get(&(row.learner_id, id))).copied();
                if let Some((earlier, _)) = replayed {
                    again.push((entry, earlier));
                } else {
                    first.insert((row.learner_id, row.id), (entry, row));
                    work.entry(pair).or_default().beats.push(NewBeat { entry, row, beat: *beat });
                }
                Recorded { course_id: pair.1, counted: 0, capped: 0, reason: None, replayed: replayed.is_some() }
            }
        });
        // The same key twice in one batch, for different things.
        let admitted = match (&admitted, again.last()) {
            (Ok(recorded), Some((at, earlier))) if *at == entry && recorded.replayed => {
                if same(entries[*earlier], sent) {
                    admitted
                } else {
                    again.pop();
                    Err(BeatRefusal::KeyReused)
                }
            }
            _ => admitted,
        };
        answers.push(admitted);
    }
    let mut writes = Writes::default();
    let old = windows(&mut tx, &batch, &work).await?;
    let mut states = states(&mut tx, &work, &old).await?;
    for (pair, work) in work {
        let old = old.get(&pair).map_or(&[][..], Vec::as_slice);
        batch.work_out(pair, &work, old, &mut states, &mut writes, &mut answers);
    }
    for (entry, earlier) in again {
        if let (Ok(recorded), Ok(earlier)) = (answers[entry], answers[earlier]) {
            answers[entry] = Ok(Recorded { replayed: true, course_id: recorded.course_id, ..earlier });
        }
    }
    write(&mut tx, &batch, writes).await?;
    tx.commit().await?;
    Ok(answers)
}

/// Whether two requests with the same key say the same.
fn same(one: &Entry, other: &Entry) -> bool {
    match (&one.what, &other.what) {
        (What::Beat(a), What::Beat(b)) => {
            one.lesson == other.lesson && (a.at, a.seconds, a.position) == (b.at, b.seconds, b.position)
        }
        _ => false,
    }
}

async fn read(tx: &mut Tx, clock: &Clock, entries: &[&Entry]) -> Result<Batch, DbError> {
    let ids: BTreeSet<LessonId> = entries.iter().map(|entry| entry.lesson).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let lessons: HashMap<_, _> =
        store::lessons(tx, &ids).await?.into_iter().map(|lesson| (lesson.id, lesson)).collect();
    let pairs: BTreeSet<Pair> =
        entries.iter().filter_map(|entry| Some((entry.learner, lessons.get(&entry.lesson)?.course_id))).collect();
    let held = if pairs.is_empty() { Vec::new() } else { store::hold(tx, pairs.into_iter()).await? };
    let held = held.into_iter().map(|row| ((row.learner_id, row.course_id), row)).collect();
    let keys: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Beat(beat) => Some((entry.learner, beat.id?)),
            What::Score(_) => None,
        })
        .collect();
    let keys: Vec<_> = keys.into_iter().collect();
    let known = if keys.is_empty() { Vec::new() } else { store::known_beats(tx, &keys).await? };
    let known = known.into_iter().map(|row| ((row.learner_id, row.id), row)).collect();
    // Read last: whoever waited for the database did not stop learning.
    Ok(Batch { now: clock.now(), lessons, held, known })
}

enum Admitted {
    Beat(BeatRow, Box<Beat>),
    Score(Pair, i64),
    Known(Recorded),
}

impl Batch {
    fn admit(&self, clock: &Clock, entry: &Entry) -> Result<Admitted, BeatRefusal> {
        let lesson = self.lessons.get(&entry.lesson).filter(|lesson| lesson.is_public);
        let lesson = lesson.ok_or(BeatRefusal::NoSuchLesson)?;
        let pair = (entry.learner, lesson.course_id);
        let held = self.held.get(&pair).filter(|held| held.left_at.is_none());
        match &entry.what {
            What::Score(_) if held.is_none() => Err(BeatRefusal::NotALearner),
            What::Score(_) if lesson.completion.0 != Completion::Score => Err(BeatRefusal::NotScored),
            What::Score(score) => Ok(Admitted::Score(pair, *score)),
            What::Beat(beat) => {
                let held = held.ok_or(BeatRefusal::NotEnrolled)?;
                if let Some(known) = beat.id.and_then(|id| self.known.get(&(entry.learner, id))) {
                    return known_as(known, entry.lesson, beat).map(Admitted::Known);
                }
                if beat.content_version.is_some_and(|version| !(1..=lesson.content_version).contains(&version)) {
                    return Err(BeatRefusal::ContentVersion(lesson.content_version));
                }
                let (at, not_before) = self.placed(held, beat)?;
                let row = BeatRow {
                    learner_id: entry.learner,
                    course_id: lesson.course_id,
                    id: beat.id.unwrap_or_else(|| clock.id()),
                    lesson_id: entry.lesson,
                    session_id: beat.session,
                    at,
                    client_at: beat.at,
                    not_before,
                    seconds: beat.seconds,
                    position: beat.position,
                };
                Ok(Admitted::Beat(row, Box::new(*beat)))
            }
        }
    }

    /// When a beat ended by the server's time, and when what it claims can have begun; in whole seconds.
    fn placed(&self, held: &HeldRow, beat: &Beat) -> Result<(Timestamp, Timestamp), BeatRefusal> {
        let told = beat.at.unwrap_or(self.now);
        let ahead = told.0.saturating_sub(self.now.0);
        if ahead > MAX_AHEAD * SECOND {
            return Err(BeatRefusal::ClockAhead(ahead / SECOND));
        }
        if ahead < -LATE_DAYS * 86_400 * SECOND {
            return Err(BeatRefusal::TooLate(told));
        }
        let since = beat.since.map_or(i64::MIN, |since| since.0);
        if since > told.0 {
            return Err(BeatRefusal::StartedLater);
        }
        // A clock that is a little ahead was so when the session began, too.
        let (at, since) = (told.0 - ahead.max(0), since.saturating_sub(ahead.max(0)));
        let whole = |at: i64| Timestamp(at.div_euclid(SECOND) * SECOND);
        let enrolled = whole(held.enrolled_at.0);
        if whole(at) < enrolled {
            return Err(BeatRefusal::BeforeEnrolment(held.enrolled_at));
        }
        Ok((whole(at), whole(since.max(enrolled.0))))
    }

    /// What comes of all that is admitted for a learner in a course.
    fn work_out(
        &self,
        pair: Pair,
        work: &Work,
        old: &[BeatRow],
        states: &mut HashMap<(Pair, LessonId), StateRow>,
        writes: &mut Writes,
        answers: &mut [Answer],
    ) {
        let Some(mut held) = self.held.get(&pair).copied() else { return };
        let was_told = held.last_beat_at.map(|at| at.0 / (TOLD_EVERY * SECOND));
        let known: Vec<Claim> = old.iter().map(claim).collect();
        let claims: Vec<Claim> = known.iter().copied().chain(work.beats.iter().map(|new| claim(&new.row))).collect();
        let (before, after) = (Measured::of(&known), Measured::of(&claims));

        // What each beat counts for; of those that were there, where a new one comes before them.
        let rows = old.iter().map(|row| (None, row)).chain(work.beats.iter().map(|new| (Some(new.entry), &new.row)));
        for (at, (entry, row)) in rows.enumerate() {
            let (capped, reason) = cap(row, &claims[at], after.starts[at]);
            if let Some(entry) = entry {
                held.capped_seconds += capped;
                writes.beats.push((*row, capped, reason));
                if let Ok(recorded) = &mut answers[entry] {
                    *recorded = Recorded { counted: row.seconds - capped, capped, reason, ..*recorded };
                }
            } else {
                let (was, _) = cap(row, &claims[at], before.starts[at]);
                if was != capped {
                    held.capped_seconds += capped - was;
                    writes.beats.push((*row, capped, reason));
                }
            }
        }
        held.seconds += after.course - before.course;

        let mut touched: BTreeSet<LessonId> = work.beats.iter().map(|new| new.row.lesson_id).collect();
        touched.extend(work.scores.iter().map(|(lesson, _)| *lesson));
        let changed = after.lessons.keys().filter(|lesson| after.lesson(**lesson) != before.lesson(**lesson));
        touched.extend(changed);
        let mut order: Vec<&NewBeat> = work.beats.iter().collect();
        order.sort_by_key(|new| (new.row.at, new.beat.at.is_none()));
        let (mut gained, mut is_earlier) = (0, false);
        for lesson_id in touched {
            let mine = || order.iter().filter(|new| new.row.lesson_id == lesson_id);
            let begun = mine().map(|new| new.row.at).min().unwrap_or(self.now);
            let state = states.entry((pair, lesson_id)).or_insert_with(|| new_state(pair, lesson_id, begun));
            state.seconds = (state.seconds + after.lesson(lesson_id) - before.lesson(lesson_id)).max(0);
            if let Some(lesson) = self.lessons.get(&lesson_id) {
                let rule = rule_of(lesson);
                let was = (state.progress, state.completed_at);
                for new in mine() {
                    take_beat(state, lesson, &rule, (new.row.at, &new.beat));
                }
                for (_, score) in work.scores.iter().filter(|(lesson, _)| *lesson == lesson_id) {
                    (state.score, state.scored_at) = (Some(*score), Some(self.now));
                }
                let latest = mine().map(|new| new.row.at).max().unwrap_or(self.now);
                settle(state, &rule, latest, |surplus| after.when_left(&claims, lesson_id, surplus));
                if lesson.counts {
                    gained += state.progress - was.0;
                    is_earlier |= was.1 != state.completed_at;
                }
            }
            writes.states.push(*state);
        }

        if let Some(latest) = work.beats.iter().map(|new| new.row.at).max() {
            held.last_beat_at = held.last_beat_at.max(Some(latest));
            held.last_active_at = held.last_active_at.max(latest);
        }
        let lessons = self.lessons_in(pair.1);
        held.progress_sum += gained;
        if held.completed_at.is_some() {
            held.progress_sum = held.progress_sum.min(lessons * Progress::WHOLE.millionths()).max(0);
        }
        let whole = Progress::mean(held.progress_sum, lessons) == Progress::WHOLE;
        let is_new = whole && held.completed_at.is_none();
        if is_new || is_earlier && held.completed_at.is_some() {
            writes.completions.push((pair, is_new));
        }
        if gained > 0 || is_earlier || held.last_beat_at.map(|at| at.0 / (TOLD_EVERY * SECOND)) != was_told {
            writes.events.push(Event::ProgressChanged { learner: pair.0, course: pair.1 });
        }
        writes.enrolments.push(held);
    }

    fn lessons_in(&self, course: CourseId) -> i64 {
        self.lessons.values().find(|lesson| lesson.course_id == course).map_or(0, |lesson| lesson.lesson_count)
    }
}

/// What is answered to a report that was recorded before.
fn known_as(known: &KnownRow, lesson: LessonId, beat: &Beat) -> Result<Recorded, BeatRefusal> {
    let told = (known.lesson_id, known.client_at, known.seconds, known.position);
    if told != (lesson, beat.at, beat.seconds, beat.position) {
        return Err(BeatRefusal::KeyReused);
    }
    Ok(Recorded {
        course_id: known.course_id,
        counted: known.seconds - known.capped,
        capped: known.capped,
        reason: known.reason.map(|reason| reason.0),
        replayed: true,
    })
}

fn claim(row: &BeatRow) -> Claim {
    Claim {
        lesson: row.lesson_id,
        session: row.session_id,
        at: row.at.seconds(),
        not_before: row.not_before.seconds(),
        seconds: row.seconds,
    }
}

/// How much of a beat does not count, and why it is marked, if it is.
fn cap(row: &BeatRow, claim: &Claim, (start, by_another): (i64, bool)) -> (i64, Option<CapReason>) {
    let capped = claim.seconds - (claim.at - start);
    let ahead = row.client_at.map_or(0, |told| (told.0 - row.at.0) / SECOND);
    let reason = match capped {
        _ if ahead > MARKED_AHEAD => Some(CapReason::Future),
        0 => None,
        _ if by_another => Some(CapReason::SinceLastBeat),
        _ => Some(CapReason::SinceBegin),
    };
    (capped, reason)
}

/// The beats that were there and that new ones bear upon.
async fn windows(
    tx: &mut Tx,
    batch: &Batch,
    work: &BTreeMap<Pair, Work>,
) -> Result<HashMap<Pair, Vec<BeatRow>>, DbError> {
    let day = MAX_SECONDS * SECOND;
    let mut windows = Vec::new();
    for (pair, work) in work {
        let Some(last) = batch.held.get(pair).and_then(|held| held.last_beat_at) else { continue };
        let Some(earliest) = work.beats.iter().map(|new| new.row.at.0).min() else { continue };
        let latest = work.beats.iter().map(|new| new.row.at.0).max().unwrap_or(earliest);
        let begins = work.beats.iter().map(|new| new.row.at.0 - new.row.seconds * SECOND).min().unwrap_or(earliest);
        // Where nothing comes after the new ones, they bear upon what ends within their own time; else also upon what they come
        // before, each of which may reach a day back.
        let from = if last.0 <= earliest { begins + SECOND } else { earliest - day };
        if last.0 >= from {
            windows.push((pair.0, pair.1, Timestamp(from), Timestamp(latest + day)));
        }
    }
    let rows = if windows.is_empty() { Vec::new() } else { store::beats_within(tx, &windows).await? };
    let mut found: HashMap<Pair, Vec<BeatRow>> = HashMap::new();
    for row in rows {
        found.entry((row.learner_id, row.course_id)).or_default().push(row);
    }
    Ok(found)
}

async fn states(
    tx: &mut Tx,
    work: &BTreeMap<Pair, Work>,
    old: &HashMap<Pair, Vec<BeatRow>>,
) -> Result<HashMap<(Pair, LessonId), StateRow>, DbError> {
    let mut keys: BTreeSet<(AccountId, CourseId, LessonId)> = BTreeSet::new();
    for (pair, work) in work {
        let lessons =
            work.beats.iter().map(|new| new.row.lesson_id).chain(work.scores.iter().map(|(lesson, _)| *lesson));
        let others = old.get(pair).into_iter().flatten().map(|row| row.lesson_id);
        keys.extend(lessons.chain(others).map(|lesson| (pair.0, pair.1, lesson)));
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let rows = if keys.is_empty() { Vec::new() } else { store::lesson_states(tx, &keys).await? };
    Ok(rows.into_iter().map(|row| (((row.learner_id, row.course_id), row.lesson_id), row)).collect())
}

async fn write(tx: &mut Tx, batch: &Batch, mut writes: Writes) -> Result<(), DbError> {
    if !writes.beats.is_empty() {
        store::put_beats(tx, &writes.beats).await?;
    }
    if !writes.states.is_empty() {
        store::put_lessons(tx, &writes.states).await?;
    }
    let mut counts: BTreeMap<CourseId, i64> = BTreeMap::new();
    for (pair, is_new) in &writes.completions {
        let at = store::last_completion(tx, *pair).await?.unwrap_or(batch.now);
        for held in writes.enrolments.iter_mut().filter(|held| (held.learner_id, held.course_id) == *pair) {
            held.completed_at = Some(held.completed_at.map_or(at, |completed| completed.min(at)));
        }
        if *is_new {
            *counts.entry(pair.1).or_default() += 1;
            recommendations::completed(tx, pair.0, pair.1, batch.now).await?;
        }
    }
    if !writes.enrolments.is_empty() {
        store::put_enrolments(tx, &writes.enrolments).await?;
    }
    for (course, count) in counts {
        store::add_completions(tx, course, count).await?;
    }
    for event in &writes.events {
        live::announce(tx, event);
    }
    Ok(())
}
