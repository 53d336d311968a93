//! What is said in the forum of a course.

use super::{
    catalogue::Course,
    draw::{Draw, Purpose},
    people::{ADA, People},
    words::{capitalised, filled},
};
use crate::{
    courses::model::StaffRole,
    forum::model::ThreadKind,
    intake::{
        campus::{course_key, person_key},
        records::PostRecord,
    },
    time::Timestamp,
};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// How many learners share a thread, on average.
pub(super) const LEARNERS_A_THREAD: f64 = 16.0;

const MOST_THREADS: usize = 90;
const MOST_POSTS: usize = 12;

/// Some of a course's learners: all of a course would be too many to keep for every course.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// How many there are in all.
    pub(super) count: usize,
    pub(super) sample: Vec<Member>,
}

/// A learner in a course, from when to when, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) person: usize,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Members {
    const SAMPLE: usize = 32;

    /// Keeps a member, or not: each has the same chance, and the demo's learner is always kept.
    pub(super) fn add(&mut self, draw: &mut Draw, member: Member) {
        self.count += 1;
        if self.sample.len() < Self::SAMPLE {
            self.sample.push(member);
        } else if let Some(kept) = self.sample.get_mut(draw.below(self.count))
            && kept.person != ADA
        {
            *kept = member;
        }
    }
}

/// The forum of a course.
pub(super) struct Forum<'a> {
    pub(super) people: &'a People<'a>,
    pub(super) course: &'a Course,
    /// The course's place.
    pub(super) place: usize,
    pub(super) members: &'a Members,
}

/// A thread that is being written.
struct Thread {
    number: usize,
    kind: ThreadKind,
    /// The place of its category among the phrases.
    category: usize,
    title: String,
    /// What placeholders stand for.
    values: [(&'static str, String); 6],
    /// What was said already: nobody says it again.
    said: Vec<&'static str>,
    posts: Vec<PostRecord>,
    /// Who wrote each of the posts.
    authors: Vec<usize>,
}

impl Forum<'_> {
    pub(super) fn posts(&self) -> Vec<PostRecord> {
        let mut draw = Draw::new(self.people.seed, Purpose::Talk, self.place);
        let mut posts = self.welcome(&mut draw);
        let expected = self.members.count as f64 / LEARNERS_A_THREAD;
        let ada = self.members.sample.iter().find(|member| member.person == ADA);
        let count = expected as usize + usize::from(draw.chance(expected.fract()));
        for number in 1..=count.max(usize::from(ada.is_some())).min(MOST_THREADS) {
            let opener = match ada {
                Some(ada) if number == 1 => Some(*ada),
                _ => draw.pick(&self.members.sample).copied(),
            };
            if let Some(opener) = opener {
                posts.extend(self.thread(&mut draw, number, opener));
            }
        }
        posts
    }

    /// The instructor opens the forum, and some introduce themselves.
    fn welcome(&self, draw: &mut Draw) -> Vec<PostRecord> {
        let Some(instructor) = self.staff(StaffRole::Instructor) else { return Vec::new() };
        let mut thread = self.open(draw, 0, ThreadKind::Discussion, 2);
        self.say(draw, &mut thread, "welcome", instructor, self.course.published + 2 * 3_600, None);
        let mut first: Vec<Member> = self.members.sample.clone();
        first.sort_unstable_by_key(|member| (member.from, member.person));
        for member in first.iter().take(2 + draw.below(6)) {
            let at = (member.from + draw.whole(5, 90) * MINUTE).max(thread.last());
            let reply_to = draw.chance(0.8).then_some(0);
            self.say(draw, &mut thread, "introduction", member.person, at, reply_to);
        }
        thread.posts
    }

    fn thread(&self, draw: &mut Draw, number: usize, opener: Member) -> Vec<PostRecord> {
        let is_question = draw.chance(0.65);
        let part = if is_question { self.with_code(draw, "question") } else { "discussion" };
        let (kind, category) = if is_question { (ThreadKind::Question, 1) } else { (ThreadKind::Discussion, 0) };
        let mut thread = self.open(draw, number, kind, category);
        let at = opener.from + (draw.unit() * (opener.to - opener.from) as f64) as i64;
        self.say(draw, &mut thread, part, opener.person, at, None);
        // The demo's learner gets an answer.
        let replies = draw.streak(0.7, MOST_POSTS - 1).max(if opener.person == ADA { 2 } else { 0 });
        for reply in 1..=replies {
            let unit = draw.unit();
            let at = thread.last() + 4 * MINUTE + (unit * unit * unit * (3 * DAY) as f64) as i64;
            if is_question {
                self.answer(draw, &mut thread, at, opener.person, reply == replies);
            } else {
                self.comment(draw, &mut thread, at);
            }
        }
        thread.posts
    }

    /// An answer to a question, or what the asker says to one.
    fn answer(&self, draw: &mut Draw, thread: &mut Thread, at: i64, asker: usize, last: bool) {
        let latest = thread.posts.len().saturating_sub(1);
        if latest > 0 && thread.authors.last() != Some(&asker) && (last || draw.chance(0.6)) {
            self.say(draw, thread, if last { "thanks" } else { "follow up" }, asker, at, Some(latest));
            return;
        }
        let of_asker = thread.authors.iter().rposition(|author| *author == asker);
        let reply_to = if draw.chance(0.75) { of_asker } else { Some(latest) };
        match self.somebody(draw, thread, at, 0.3).filter(|author| *author != asker) {
            Some(author) if !self.is_staff(author) => {
                let part = self.with_code(draw, "answer");
                self.say(draw, thread, part, author, at, reply_to);
            }
            Some(author) => self.say(draw, thread, "staff answer", author, at, reply_to),
            None => {}
        }
    }

    fn comment(&self, draw: &mut Draw, thread: &mut Thread, at: i64) {
        let Some(author) = self.somebody(draw, thread, at, 0.12) else { return };
        let reply_to = if draw.chance(0.3) { None } else { Some(draw.below(thread.posts.len())) };
        self.say(draw, thread, "opinion", author, at, reply_to);
    }

    /// Somebody who is in the course by then and did not write last; the staff with a given probability,
    /// and where there is nobody else.
    fn somebody(&self, draw: &mut Draw, thread: &Thread, at: i64, staff: f64) -> Option<usize> {
        let last = thread.authors.last();
        let teachers = self.course.staff.iter().map(|(person, _)| *person).filter(|person| Some(person) != last);
        let learners = self.members.sample.iter().filter(|member| member.from <= at).map(|member| member.person);
        let learners: Vec<usize> = learners.filter(|person| Some(person) != last).collect();
        let teachers: Vec<usize> = teachers.collect();
        let (first, second) = if draw.chance(staff) { (&teachers, &learners) } else { (&learners, &teachers) };
        draw.pick(first).or_else(|| second.first()).copied()
    }

    fn staff(&self, role: StaffRole) -> Option<usize> {
        self.course.staff.iter().find(|(_, other)| *other == role).map(|(person, _)| *person)
    }

    fn is_staff(&self, person: usize) -> bool {
        self.course.staff.iter().any(|(other, _)| *other == person)
    }

    /// Where there is code, some of the talk is about it.
    fn with_code(&self, draw: &mut Draw, part: &'static str) -> &'static str {
        let words = self.people.words;
        let has_code = self.course.topics.first().is_some_and(|topic| words.topics[*topic].has_code);
        let about_code = match part {
            "question" => "question computing",
            _ => "answer computing",
        };
        let possible = has_code && !words.phrases(self.course.language, about_code).is_empty();
        if possible && draw.chance(0.4) { about_code } else { part }
    }

    /// A thread about one of the lessons.
    fn open(&self, draw: &mut Draw, number: usize, kind: ThreadKind, category: usize) -> Thread {
        let course = self.course;
        let place = if number == 0 { 0 } else { draw.below(course.lessons.len()) };
        let lesson = course.lessons.get(place);
        let module = lesson.map_or(0, |lesson| lesson.module);
        let concept = |module: usize| {
            course.modules.get(module % course.modules.len().max(1)).map_or(course.subject, |module| module.concept)
        };
        let values = [
            ("{L}", lesson.map_or(String::new(), |lesson| lesson.title.clone())),
            ("{T}", course.title.clone()),
            ("{S}", course.subject.to_owned()),
            ("{a}", concept(module).to_owned()),
            ("{b}", concept(module + 1).to_owned()),
            ("{A}", capitalised(concept(module))),
        ];
        let (title, said, posts, authors) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        Thread { number, kind, category, title, values, said, posts, authors }
    }

    /// Writes a post, unless all that could be said has been said or the records end before.
    fn say(&self, draw: &mut Draw, thread: &mut Thread, part: &str, author: usize, at: i64, reply_to: Option<usize>) {
        let phrases = self.people.words.phrases(self.course.language, part);
        let start = draw.below(phrases.len());
        let mut turns = (0..phrases.len()).map(|turn| phrases[(start + turn) % phrases.len()]);
        let Some(phrase) = turns.find(|phrase| !thread.said.contains(phrase)) else { return };
        let is_first = thread.posts.is_empty();
        if at > self.people.span.1 || (!is_first && at < thread.last()) {
            return;
        }
        let (title, text) = phrase.split_once(" # ").unwrap_or(("", phrase));
        if is_first && title.is_empty() {
            return; // nobody answers what was not said
        }
        thread.said.push(phrase);
        let given = self.people.person(author).given;
        let mut values = thread.values.each_ref().map(|(name, value)| (*name, value.as_str())).to_vec();
        values.push(("{N}", &given));
        if is_first {
            thread.title = filled(title, &values);
        }
        let course = course_key(self.place);
        let key = |post: usize| format!("{course}-t{}-p{}", thread.number, post + 1);
        let post = PostRecord {
            key: key(thread.posts.len()),
            thread: format!("{course}-t{}", thread.number),
            category: self.category(thread.category),
            kind: thread.kind,
            title: thread.title.clone(),
            author: person_key(author),
            reply_to: reply_to.map(key),
            at: Timestamp::from_seconds(at),
            body: filled(text, &values),
            course,
        };
        thread.posts.push(post);
        thread.authors.push(author);
    }

    fn category(&self, place: usize) -> String {
        let phrases = self.people.words.phrases(self.course.language, "category");
        phrases.get(place).copied().unwrap_or("General").to_owned()
    }
}

impl Thread {
    /// When the last post was written, in seconds since 1970.
    fn last(&self) -> i64 {
        self.posts.last().map_or(i64::MIN, |post| post.at.seconds())
    }
}
