//! The courses of the campus. They come in chains, each course building on the one before.

use super::{
    draw::{Draw, Purpose},
    lessons::{Lesson, Module, Writer},
    people::{CIRCLES, DEMO_PEOPLE, GRACE, TOMAS},
    words::{Subject, Words, filled},
};
use crate::courses::model::{Level, StaffRole};

const DAY: i64 = 86_400;

/// How long ago the campus opened, in seconds.
pub(super) const AGE: i64 = 4 * 365 * DAY;

/// A course, and what nobody sees of it but what learners do follows from.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) language: &'static str,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) subject: &'static str,
    pub(super) level: Option<Level>,
    /// What it expects: 0 nothing, 1 the basics, 2 experience.
    pub(super) demand: f64,
    /// Places of its topics, the most important first.
    pub(super) topics: Vec<usize>,
    /// The course before it in its chain.
    pub(super) previous: Option<usize>,
    /// Places of the courses that it requires, all before it.
    pub(super) prerequisites: Vec<usize>,
    /// Places of people.
    pub(super) staff: Vec<(usize, StaffRole)>,
    /// In seconds since 1970.
    pub(super) published: i64,
    pub(super) open_forum: bool,
    pub(super) modules: Vec<Module>,
    pub(super) lessons: Vec<Lesson>,
    /// How well it is made: mean 0, standard deviation 1.
    pub(super) quality: f64,
    /// How much it draws people, relative to the others: a few much, most little.
    pub(super) popularity: f64,
    /// How much it draws people of each circle.
    pub(super) circles: [f64; CIRCLES],
    /// The month in which it is taken most, 0..12.
    pub(super) month: i64,
}

/// All courses, and how many people teach them.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) courses: Vec<Course>,
    /// How many people teach, besides the demo people.
    pub(super) staff: usize,
}

struct Builder<'a> {
    words: &'a Words,
    seed: u64,
    until: i64,
    staff: usize,
    /// For each topic, the order in which its subjects are used, and how many were.
    orders: Vec<(Vec<usize>, usize)>,
    /// How many chains Grace teaches.
    by_grace: usize,
    courses: Vec<Course>,
}

/// What the courses of a chain share.
struct Chain<'a> {
    topic: usize,
    subject: &'a Subject,
    /// What follows each title.
    suffix: String,
    circles: [f64; CIRCLES],
    instructor: usize,
    has_tomas: bool,
    popularity: f64,
    month: i64,
    open_forum: bool,
}

impl Catalogue {
    /// `count` courses, the last of them published some time before `until`, in seconds since 1970.
    pub(super) fn new(words: &Words, seed: u64, count: usize, until: i64) -> Self {
        let mut draw = Draw::new(seed, Purpose::Catalogue, 0);
        let mut deck: Vec<usize> = (0..words.topics.len()).collect();
        let orders = words.topics.iter().map(|topic| {
            let mut order: Vec<usize> = (0..topic.subjects.len()).collect();
            draw.shuffle(&mut order);
            // The smallest campus has something for everybody, and that is in English.
            if let Some(english) = order.iter().position(|subject| topic.subjects[*subject].language == "en") {
                order.swap(0, english);
            }
            (order, 0)
        });
        let orders = orders.collect();
        draw.shuffle(&mut deck);
        // The demo's learner and instructor meet in the first topics, so these come first.
        for (place, name) in ["Statistics", "Python"].into_iter().enumerate() {
            let topic = words.topic(name);
            if let Some(at) = deck.iter().position(|other| *other == topic) {
                deck.swap(place, at);
            }
        }
        let staff = count.div_ceil(5);
        let mut builder =
            Builder { words, seed, until, staff, orders, by_grace: 0, courses: Vec::with_capacity(count) };
        for chain in 0.. {
            if builder.courses.len() >= count || deck.is_empty() {
                break;
            }
            builder.add_chain(chain, deck[chain % deck.len()], count);
        }
        Self { courses: builder.courses, staff }
    }
}

impl Builder<'_> {
    fn add_chain(&mut self, number: usize, topic: usize, count: usize) {
        let mut draw = Draw::new(self.seed, Purpose::Chain, number);
        let words = self.words;
        let (order, used) = &mut self.orders[topic];
        let size = order.len().max(1);
        let round = *used / size;
        let Some(subject) = words.topics[topic].subjects.get(order.get(*used % size).copied().unwrap_or(0)) else {
            return;
        };
        *used += 1;

        let mut circles = [0.0; CIRCLES];
        circles.fill_with(|| 0.35 + 1.6 * draw.unit() * draw.unit());
        let audiences = words.phrases(subject.language, "audience");
        let suffix = match round.checked_sub(1) {
            None => String::new(),
            Some(round) => {
                if let Some(circle) = circles.get_mut(round % audiences.len().max(1)) {
                    *circle = 3.0;
                }
                let audience = audiences.get(round % audiences.len().max(1)).copied().unwrap_or("");
                match round / audiences.len().max(1) {
                    0 => audience.to_owned(),
                    again => format!("{audience} ({})", again + 1),
                }
            }
        };
        let of_grace = number < 2 || (self.by_grace < 4 && matches!(words.topics[topic].name, "Statistics" | "Python"));
        self.by_grace += usize::from(of_grace);
        let unit = draw.unit();
        let chain = Chain {
            topic,
            subject,
            suffix,
            circles,
            instructor: if of_grace { GRACE } else { self.teacher(&mut draw, topic) },
            has_tomas: of_grace && self.by_grace <= 2,
            popularity: 1.0 / (0.1 + unit),
            month: draw.whole(0, 11),
            open_forum: draw.chance(0.15),
        };

        let length = [1, 2, 2, 3, 3, 3, 4][draw.below(7)];
        let starts_at_once = number < 3 || draw.chance(0.35);
        let opened = self.until - AGE;
        let mut published = opened + if starts_at_once { draw.whole(0, 30) } else { draw.whole(30, 1_350) } * DAY;
        let mut demand: i64 = i64::from(number > 1 && draw.chance(0.2));
        let first = self.courses.len();
        for place in first..count.min(first + length) {
            let previous = (place > first).then(|| place - 1);
            if previous.is_some() {
                let last = published;
                published = (published + draw.whole(40, 220) * DAY).min(self.until - 4 * DAY).max(last + DAY);
                demand = (demand + i64::from(draw.chance(0.9))).min(2);
            }
            let course = self.course(&chain, place, previous, demand, published);
            self.courses.push(course);
        }
    }

    /// Each of the staff has a topic of her own.
    fn teacher(&self, draw: &mut Draw, topic: usize) -> usize {
        let step = self.words.topics.len();
        let specialists: Vec<usize> = (topic..self.staff).step_by(step).collect();
        let one = draw.pick(&specialists).copied().unwrap_or_else(|| draw.below(self.staff));
        DEMO_PEOPLE.len() + one
    }

    fn course(&self, chain: &Chain, place: usize, previous: Option<usize>, demand: i64, published: i64) -> Course {
        let mut draw = Draw::new(self.seed, Purpose::Course, place);
        let (subject, language) = (chain.subject, chain.subject.language);
        let (level, level_name) = match demand {
            0 => (Level::Beginner, "beginner"),
            1 => (Level::Intermediate, "intermediate"),
            _ => (Level::Advanced, "advanced"),
        };
        let step = previous.map_or(0, |previous| self.step_of(previous) + 1);
        let writer = Writer { words: self.words, language, concepts: &subject.concepts, shift: step * 2 };
        let (modules, lessons) = writer.write(&mut draw);

        let concept = |place: usize| subject.concepts[(step * 2 + place) % subject.concepts.len().max(1)];
        let (a, b, c) = (concept(0), concept(1), concept(2));
        let capital = super::words::capitalised(a);
        let values = [("{S}", subject.name), ("{a}", a), ("{b}", b), ("{c}", c), ("{A}", &capital)];
        let about = self.words.phrase(&mut draw, language, "summary");
        let expects = self.words.phrase(&mut draw, language, &format!("summary {level_name}"));
        let quality = draw.normal();

        Course {
            language,
            title: self.title(&mut draw, chain, level_name, previous),
            summary: filled(&format!("{about} {expects}"), &values),
            subject: subject.name,
            level: (!draw.chance(0.04)).then_some(level),
            demand: demand as f64,
            topics: self.topics(&mut draw, chain.topic),
            previous,
            prerequisites: match previous {
                Some(previous) => vec![previous],
                None => self.foundation(&mut draw, chain, demand, published).into_iter().collect(),
            },
            staff: self.staff_of(&mut draw, chain),
            published: published - published.rem_euclid(DAY) + 8 * 3_600,
            open_forum: chain.open_forum,
            modules,
            lessons,
            quality,
            // Fewer go on than begin, and good courses are spoken of.
            popularity: chain.popularity * draw.from(0.5, 1.5) * (1.0 + 0.25 * quality).max(0.2)
                / (1.0 + 0.5 * step as f64),
            circles: chain.circles,
            month: chain.month,
        }
    }

    /// How many courses of its chain come before a course.
    fn step_of(&self, place: usize) -> usize {
        std::iter::successors(self.courses[place].previous, |place| self.courses[*place].previous).count()
    }

    /// Another title than those of the courses before it in the chain.
    fn title(&self, draw: &mut Draw, chain: &Chain, level: &str, previous: Option<usize>) -> String {
        let phrases = self.words.phrases(chain.subject.language, &format!("title {level}"));
        let start = draw.below(phrases.len());
        let titles = (0..phrases.len()).map(|turn| {
            let phrase = phrases[(start + turn) % phrases.len()];
            filled(phrase, &[("{S}", chain.subject.name)]) + &chain.suffix
        });
        let before: Vec<&str> = std::iter::successors(previous, |place| self.courses[*place].previous)
            .map(|place| self.courses[place].title.as_str())
            .collect();
        titles.into_iter().find(|title| !before.contains(&title.as_str())).unwrap_or_else(|| chain.subject.name.into())
    }

    fn topics(&self, draw: &mut Draw, topic: usize) -> Vec<usize> {
        let related = self.words.topics[topic].related.iter().copied();
        std::iter::once(topic).chain(related.filter(|_| draw.chance(0.25))).take(3).collect()
    }

    /// A chain that does not start from zero may build on another one.
    fn foundation(&self, draw: &mut Draw, chain: &Chain, demand: i64, published: i64) -> Option<usize> {
        let fits = |course: &Course| {
            course.language == chain.subject.language
                && course.demand < demand as f64
                && course.published < published
                && course.topics.first() == Some(&chain.topic)
        };
        let candidates: Vec<usize> = (0..self.courses.len()).filter(|place| fits(&self.courses[*place])).collect();
        draw.pick(&candidates).copied()
    }

    fn staff_of(&self, draw: &mut Draw, chain: &Chain) -> Vec<(usize, StaffRole)> {
        let mut staff = vec![(chain.instructor, StaffRole::Instructor)];
        if chain.has_tomas {
            staff.push((TOMAS, StaffRole::Assistant));
        } else if draw.chance(0.3) {
            let assistant = DEMO_PEOPLE.len() + draw.below(self.staff);
            if assistant != chain.instructor {
                staff.push((assistant, StaffRole::Assistant));
            }
        }
        staff
    }
}
