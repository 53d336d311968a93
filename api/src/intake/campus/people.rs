//! The people of the campus: those everybody may sign in as, the staff, and the learners.

use super::{
    draw::{Draw, Purpose},
    words::Words,
};

/// Somebody whom the demonstration signs in as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// Her address.
    pub email: &'static str,
    /// Her name.
    pub name: &'static str,
    /// What she is: learner, instructor, assistant, support, analyst or administrator. The last three are
    /// roles to be granted; instructor and assistant follow from the courses' staff.
    pub role: &'static str,
    /// What there is to see.
    pub note: &'static str,
}

/// The people whom the demonstration signs in as: the first records of every campus, in this order.
pub const DEMO_PEOPLE: &[DemoPerson] = &[
    DemoPerson {
        email: "ada@campus.example",
        name: "Ada Okafor",
        role: "learner",
        note: "in the middle of two courses, several completed, writes in forums",
    },
    DemoPerson {
        email: "ben@campus.example",
        name: "Ben Lindqvist",
        role: "learner",
        note: "new: has goals, has not begun anything",
    },
    DemoPerson {
        email: "grace@campus.example",
        name: "Grace Mbeki",
        role: "instructor",
        note: "teaches several courses",
    },
    DemoPerson {
        email: "tomas@campus.example",
        name: "Tomas Novak",
        role: "assistant",
        note: "helps in some of Grace's courses",
    },
    DemoPerson {
        email: "sami@campus.example",
        name: "Sami Haddad",
        role: "support",
        note: "answers learners who can't go on",
    },
    DemoPerson { email: "lina@campus.example", name: "Lina Park", role: "analyst", note: "looks at figures" },
    DemoPerson {
        email: "noor@campus.example",
        name: "Noor de Vries",
        role: "administrator",
        note: "keeps the campus running",
    },
];

/// The places of demo people who have something to do, in [`DEMO_PEOPLE`].
pub(super) const ADA: usize = 0;
pub(super) const BEN: usize = 1;
pub(super) const GRACE: usize = 2;
pub(super) const TOMAS: usize = 3;

/// How many circles there are; learners of one circle like the same courses, in every topic.
pub(super) const CIRCLES: usize = 6;

const DAY: i64 = 86_400;

/// A person's name and address.
pub(super) struct Person {
    pub(super) given: String,
    pub(super) name: String,
    pub(super) email: String,
    region: usize,
}

/// What makes a learner learn as she does.
#[derive(Debug)]
pub(super) struct Traits {
    pub(super) languages: Vec<&'static str>,
    /// How much she likes each topic, 0..=1.
    pub(super) interests: Vec<f64>,
    /// Topics that she says she wants to learn about.
    pub(super) goals: Vec<usize>,
    /// How easily she learns: mean 0, standard deviation 1.
    pub(super) ability: f64,
    /// How steadily she learns, 0..=1.
    pub(super) diligence: f64,
    /// The time she needs, as a multiple of a lesson's length.
    pub(super) pace: f64,
    pub(super) circle: usize,
    /// When she came, in seconds since 1970.
    pub(super) joined: i64,
    /// How many courses she will begin if time allows.
    pub(super) courses: usize,
    /// When she likes to learn: seconds after midnight.
    pub(super) hour: i64,
}

/// Makes people.
pub(super) struct People<'a> {
    pub(super) words: &'a Words,
    pub(super) seed: u64,
    /// When the campus opened and when its records end, in seconds since 1970.
    pub(super) span: (i64, i64),
}

impl People<'_> {
    /// The person at a place among all.
    pub(super) fn person(&self, place: usize) -> Person {
        if let Some(demo) = DEMO_PEOPLE.get(place) {
            let given = demo.name.split(' ').next().unwrap_or(demo.name).to_owned();
            return Person { given, name: demo.name.to_owned(), email: demo.email.to_owned(), region: 0 };
        }
        let mut draw = Draw::new(self.seed, Purpose::Person, place);
        let regions = &self.words.regions;
        let region = draw.below(regions.len());
        let given = draw.pick(&regions[region].given).copied().unwrap_or("Alex");
        // Some families have moved.
        let family = if draw.chance(0.08) { draw.below(regions.len()) } else { region };
        let family = draw.pick(&regions[family].family).copied().unwrap_or("Doe");
        Person {
            given: given.to_owned(),
            name: format!("{given} {family}"),
            email: format!("{}.{}.{}@campus.example", ascii(given), ascii(family), place + 1),
            region,
        }
    }

    /// What makes the learner at a place learn as she does.
    pub(super) fn traits(&self, place: usize) -> Traits {
        let person = self.person(place);
        let mut draw = Draw::new(self.seed, Purpose::Traits, place);
        let topics = &self.words.topics;
        let popularity: Vec<f64> = (0..topics.len()).map(|topic| self.topic_popularity(topic)).collect();
        let favourite = draw.weighted(&popularity).unwrap_or(0);
        let mut interests: Vec<f64> = topics.iter().map(|_| draw.from(0.004, 0.03)).collect();
        for related in topics.get(favourite).map_or(&[][..], |topic| &topic.related) {
            interests[*related] += 0.08;
        }
        let mut strong = vec![favourite];
        for (likely, strength) in [(0.75, 0.6), (0.45, 0.4)] {
            if draw.chance(likely) {
                let related = topics.get(favourite).map_or(&[][..], |topic| &topic.related);
                let next = if draw.chance(0.65) { draw.pick(related).copied() } else { draw.weighted(&popularity) };
                let next = next.unwrap_or(favourite);
                interests[next] = interests[next].max(strength);
                strong.push(next);
            }
        }
        interests[favourite] = 1.0;

        let diligence = (0.5 + 0.22 * draw.normal()).clamp(0.02, 0.98);
        let (opened, until) = self.span;
        // More come each year: the later of two moments.
        let moment = draw.unit().max(draw.unit());
        let languages = self.words.regions.get(person.region).map(|region| region.languages.clone());
        let mut traits = Traits {
            languages: languages.unwrap_or_else(|| vec!["en"]),
            goals: Vec::new(),
            ability: draw.normal(),
            pace: (1.15 + 0.25 * draw.normal()).clamp(0.6, 2.2),
            circle: draw.below(CIRCLES),
            joined: opened + ((until - opened - 2 * DAY) as f64 * moment) as i64,
            courses: Self::courses(&mut draw, diligence),
            hour: draw.whole(6, 21) * 3_600,
            interests,
            diligence,
        };
        if draw.chance(0.55) {
            traits.goals = strong.into_iter().filter(|_| draw.chance(0.8)).collect();
            if draw.chance(0.1) {
                traits.goals.push(draw.below(topics.len()));
            }
        }
        self.make_demo(place, &mut traits);
        let mut seen = Vec::new();
        traits.goals.retain(|goal| {
            !seen.contains(goal) && {
                seen.push(*goal);
                true
            }
        });
        traits
    }

    /// Most begin a few courses, some dozens, and some none at all.
    fn courses(draw: &mut Draw, diligence: f64) -> usize {
        const MOST: f64 = 40.0;
        let typical = 1.1 + 1.6 * diligence;
        let tail = 1.0 / draw.from(0.0005, 1.0).sqrt();
        if draw.chance(0.04) { 0 } else { (0.5 + typical * tail).min(MOST) as usize }
    }

    fn make_demo(&self, place: usize, traits: &mut Traits) {
        let topic = |name| self.words.topic(name);
        match place {
            ADA => {
                traits.goals = ["Statistics", "Python", "Machine Learning"].map(topic).to_vec();
                traits.interests.fill(0.001);
                for (goal, strength) in traits.goals.clone().into_iter().zip([1.0, 0.7, 0.5]) {
                    traits.interests[goal] = strength;
                }
                traits.languages = vec!["en"];
                (traits.ability, traits.diligence, traits.pace) = (1.0, 0.9, 1.0);
                traits.joined = (self.span.1 - 420 * DAY).max(self.span.0);
                traits.courses = 9;
                traits.hour = 18 * 3_600;
            }
            BEN => {
                traits.goals = ["Rust", "Databases"].map(topic).to_vec();
                traits.courses = 0;
            }
            _ => {}
        }
    }

    /// How many like a topic, relative to the others.
    fn topic_popularity(&self, topic: usize) -> f64 {
        let unit = Draw::new(self.seed, Purpose::Catalogue, topic + 1).unit();
        0.25 + 1.5 * unit * unit
    }
}

/// Small letters without accents, for addresses.
fn ascii(name: &str) -> String {
    let mut address = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' => address.push(letter),
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => address.push('a'),
            'ä' | 'æ' => address.push_str("ae"),
            'ç' | 'č' | 'ć' => address.push('c'),
            'ď' | 'ð' => address.push('d'),
            'è' | 'é' | 'ê' | 'ë' | 'ě' | 'ę' => address.push('e'),
            'ğ' => address.push('g'),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => address.push('i'),
            'ł' => address.push('l'),
            'ñ' | 'ň' | 'ń' => address.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ő' => address.push('o'),
            'ö' | 'ø' => address.push_str("oe"),
            'ř' => address.push('r'),
            'š' | 'ş' | 'ś' => address.push('s'),
            'ß' => address.push_str("ss"),
            'ť' => address.push('t'),
            'ù' | 'ú' | 'û' | 'ů' | 'ű' => address.push('u'),
            'ü' => address.push_str("ue"),
            'ý' => address.push('y'),
            'ž' | 'ź' | 'ż' => address.push('z'),
            // Hyphens and dots that are left, such as the one above a Turkish i.
            _ => {}
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_address_in_small_ascii_letters() {
        let words = Words::read();
        for name in words.regions.iter().flat_map(|region| region.given.iter().chain(&region.family)) {
            let letters = name.chars().filter(|c| c.is_alphabetic()).count();
            assert!(ascii(name).len() >= letters, "{name} loses a letter: {}", ascii(name));
        }
        assert_eq!(ascii("Aydın"), "aydin");
        assert_eq!(ascii("Al-Amin"), "alamin");
    }
}
