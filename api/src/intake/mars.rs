//! The published files of the Mandarine Academy Recommender System data set (MARS; Hafsa et al., 2022,
//! doi 10.7910/DVN/BMY3UD), as they are. `docs/IMPORT.md` says what becomes of each column.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    csv::{Cells, Columns, PUBLISHED_UNKNOWN, Table, demand_any, estimated_rows, quoted},
    records::{
        ActivityRecord, BadRow, CourseRecord, Kind, LearnerRecord, LessonRecord, PostRecord, Row, Rows, Source,
        SourceError,
    },
};
use crate::{
    courses::model::{LessonKind, Level},
    time::Timestamp,
};

#[cfg(test)]
mod tests;
mod text;

const ITEMS: Columns = Columns {
    required: &["item_id", "name"],
    optional: &["language", "description", "created_at", "difficulty", "software", "theme", "duration"],
};
const USERS: Columns = Columns { required: &["user_id"], optional: &[] };
const VIEWS: Columns = Columns { required: &["item_id", "user_id", "created_at"], optional: &[] };
const RATINGS: Columns = Columns { required: &["user_id", "item_id", "watch_percentage", "created_at"], optional: &[] };

/// The longest title, in characters.
const LONGEST_TITLE: usize = 300;

/// The longest summary, in characters: a description is the whole of what is said in the video.
const LONGEST_SUMMARY: usize = 1_000;

/// Which of the two sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarsLanguage {
    /// With a catalogue, page views and completions.
    English,
    /// With completions only.
    French,
}

impl MarsLanguage {
    /// The language's tag, which ends the files' names.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }
}

/// A folder with the published files. They are small: what one of them lacks is looked up in the others,
/// in memory.
#[derive(Clone, Debug)]
pub struct Mars {
    folder: PathBuf,
    language: MarsLanguage,
}

/// A row of the catalogue.
struct Item {
    id: String,
    title: String,
    summary: String,
    language: String,
    level: Option<Level>,
    topics: Vec<String>,
    published_at: Timestamp,
    /// Its length in seconds.
    seconds: Option<i64>,
}

/// A row of one of the two files of events.
struct Event {
    user: String,
    item: String,
    at: Timestamp,
    /// How much of the video was watched, 0..=1; `None` for a page view.
    completion: Option<f64>,
}

type Read<T> = Result<Row<T>, BadRow>;

impl Mars {
    /// The files of one language in the folder `dir`.
    pub fn open(dir: &Path, language: MarsLanguage) -> Result<Self, SourceError> {
        let mars = Self { folder: dir.to_owned(), language };
        let files = [mars.users(), mars.items(), mars.views(), mars.ratings()];
        demand_any(dir, files.each_ref().map(String::as_str))?;
        Ok(mars)
    }

    fn users(&self) -> String {
        format!("users_{}.csv", self.language.tag())
    }

    fn items(&self) -> String {
        format!("items_{}.csv", self.language.tag())
    }

    fn views(&self) -> String {
        format!("implicit_ratings_{}.csv", self.language.tag())
    }

    fn ratings(&self) -> String {
        format!("explicit_ratings_{}.csv", self.language.tag())
    }

    fn read<T, F: FnMut(&Cells) -> Result<T, BadRow>>(
        &self,
        file: &str,
        columns: &Columns,
        read: F,
    ) -> Result<impl Iterator<Item = Read<T>> + use<T, F>, SourceError> {
        let table = Table::open(&self.folder.join(file), columns)?;
        Ok(table.map(|table| table.records(read)).into_iter().flatten())
    }

    /// Page views, then completions.
    fn events(&self) -> Result<impl Iterator<Item = Read<Event>> + use<>, SourceError> {
        let views = self.read(&self.views(), &VIEWS, |cells| event(cells, None))?;
        let file = self.ratings();
        let ratings = self.read(&file, &RATINGS, |cells| event(cells, Some(completion(cells)?)))?;
        // Lines are counted in each file, so a complaint must say in which.
        let named = move |bad: BadRow| BadRow { reason: format!("{} (in {file})", bad.reason), ..bad };
        Ok(views.chain(ratings.map(move |row| row.map_err(&named))))
    }

    /// What events say about items and users that no file lists.
    fn unlisted(&self, listed: &HashSet<String>, of: fn(Event) -> String) -> Result<Vec<String>, SourceError> {
        let mut known = listed.clone();
        let events = self.events()?.filter_map(Result::ok);
        Ok(events.map(|row| of(row.record)).filter(|id| known.insert(id.clone())).collect())
    }

    /// The items of the catalogue, then those that only events know.
    fn all_items(&self) -> Result<Vec<Read<Item>>, SourceError> {
        let tag = self.language.tag();
        let mut rows: Vec<_> = self.read(&self.items(), &ITEMS, |cells| item(cells, tag))?.collect();
        let listed = rows.iter().flatten().map(|row| row.record.id.clone()).collect();
        let mut unlisted = self.unlisted(&listed, |event| event.item)?;
        if !unlisted.is_empty() {
            // The site counts its ids up, so they are the catalogue's order. That of the events would tell what
            // a recommender is to find out.
            unlisted.sort_by_cached_key(|id| (id.parse::<u64>().unwrap_or(u64::MAX), id.clone()));
            // Nothing says since when an item without a row has been there. The beginning of the log is
            // the same for all; its own first event would tell a recommender what it is to find out.
            let earliest = self.events()?.flatten().map(|row| row.record.at).min();
            let published_at = earliest.unwrap_or(PUBLISHED_UNKNOWN);
            rows.extend(unlisted.into_iter().zip(1..).map(|(id, line)| {
                let title = format!("Item {id}");
                let (summary, language, topics) = (String::new(), tag.to_owned(), Vec::new());
                let record = Item { id, title, summary, language, level: None, topics, published_at, seconds: None };
                Ok(Row { line, record })
            }));
        }
        Ok(rows)
    }

    /// The catalogue as records of another kind.
    fn each_item<T: Send + 'static>(&self, make: fn(Item) -> T) -> Result<Option<Rows<'_, T>>, SourceError> {
        let rows = self.all_items()?.into_iter();
        Ok(Some(Box::new(rows.map(move |row| row.map(|Row { line, record }| Row { line, record: make(record) })))))
    }
}

impl Source for Mars {
    fn name(&self) -> String {
        format!("mars-{}", self.language.tag())
    }

    fn file(&self, kind: Kind) -> String {
        match kind {
            Kind::Learners => self.users(),
            Kind::Courses | Kind::Lessons if self.language == MarsLanguage::English => self.items(),
            Kind::Activity if self.language == MarsLanguage::English => self.views(),
            Kind::Courses | Kind::Lessons | Kind::Activity => self.ratings(),
            Kind::Posts => String::new(),
        }
    }

    fn expected(&self, kind: Kind) -> Option<u64> {
        let rows = |file: String| estimated_rows(&self.folder.join(file));
        match kind {
            Kind::Learners => rows(self.users()),
            Kind::Courses | Kind::Lessons => rows(self.items()),
            Kind::Activity => [self.views(), self.ratings()].into_iter().filter_map(rows).reduce(|a, b| a + b),
            Kind::Posts => None,
        }
    }

    fn courses(&self) -> Result<Option<Rows<'_, CourseRecord>>, SourceError> {
        self.each_item(|item| CourseRecord {
            key: item.id,
            title: item.title,
            summary: item.summary,
            language: item.language,
            level: item.level,
            topics: item.topics,
            prerequisites: Vec::new(),
            staff: Vec::new(),
            published_at: item.published_at,
            open_forum: false,
        })
    }

    fn lessons(&self) -> Result<Option<Rows<'_, LessonRecord>>, SourceError> {
        self.each_item(|item| LessonRecord {
            key: item.id.clone(),
            course: item.id,
            module: item.title.clone(),
            title: item.title,
            kind: LessonKind::Video,
            seconds: item.seconds,
        })
    }

    fn learners(&self) -> Result<Option<Rows<'_, LearnerRecord>>, SourceError> {
        let mut rows: Vec<Read<String>> =
            self.read(&self.users(), &USERS, |cells| cells.required("user_id").map(str::to_owned))?.collect();
        let listed = rows.iter().flatten().map(|row| row.record.clone()).collect();
        let unlisted = self.unlisted(&listed, |event| event.user)?;
        rows.extend(unlisted.into_iter().zip(1..).map(|(record, line)| Ok(Row { line, record })));
        let learner =
            |key: String| LearnerRecord { name: format!("Learner {key}"), key, email: None, goals: Vec::new() };
        let rows = rows.into_iter();
        Ok(Some(Box::new(rows.map(move |row| row.map(|Row { line, record }| Row { line, record: learner(record) })))))
    }

    fn activity(&self) -> Result<Option<Rows<'_, ActivityRecord>>, SourceError> {
        let items = self.all_items()?.into_iter().flatten();
        let lengths: HashMap<String, i64> =
            items.filter_map(|row| Some((row.record.id, row.record.seconds?))).collect();
        let activity = move |event: Event| {
            let progress = event.completion.unwrap_or(0.0);
            let length = lengths.get(&event.item).copied().unwrap_or(0);
            ActivityRecord {
                learner: event.user,
                lesson: event.item,
                started_at: event.at,
                updated_at: event.at,
                seconds: (progress * length as f64).round() as i64,
                progress,
                rating: None,
            }
        };
        let events = self.events()?;
        Ok(Some(Box::new(
            events.map(move |row| row.map(|Row { line, record }| Row { line, record: activity(record) })),
        )))
    }

    fn posts(&self) -> Result<Option<Rows<'_, PostRecord>>, SourceError> {
        Ok(None)
    }
}

fn item(cells: &Cells, tag: &str) -> Result<Item, BadRow> {
    let stated = |column| Ok(cells.optional(column)?.filter(|text| *text != "N/A"));
    let id = cells.required("item_id")?.to_owned();
    let title = text::shortened(&text::plain(cells.required("name")?), LONGEST_TITLE);
    let mut topics = Vec::new();
    for column in ["software", "theme"] {
        for topic in text::listed(stated(column)?.unwrap_or("")) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
    }
    Ok(Item {
        title: if title.is_empty() { format!("Item {id}") } else { title },
        summary: text::shortened(&text::plain(stated("description")?.unwrap_or("")), LONGEST_SUMMARY),
        language: stated("language")?.unwrap_or(tag).to_owned(),
        level: stated("difficulty")?.and_then(|text| text.parse().ok()),
        published_at: stated("created_at")?.map_or(Ok(PUBLISHED_UNKNOWN), |text| published(cells, text))?,
        seconds: stated("duration")?.map_or(Ok(None), |text| length(cells, text))?,
        topics,
        id,
    })
}

/// The catalogue gives the year only; the first of January is the one day that is not too late.
fn published(cells: &Cells, text: &str) -> Result<Timestamp, BadRow> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = if is_year { format!("{text}-01-01") } else { text.to_owned() };
    Timestamp::parse(&date)
        .ok_or_else(|| cells.bad("created_at", format!("{} is neither a year nor a time", quoted(text))))
}

/// Seconds, with a decimal point; 0 where the length is not known.
fn length(cells: &Cells, text: &str) -> Result<Option<i64>, BadRow> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds| (0.0..1e9).contains(seconds));
    let seconds =
        seconds.ok_or_else(|| cells.bad("duration", format!("{} is not a number of seconds", quoted(text))))?;
    Ok(Some(seconds.round() as i64).filter(|seconds| *seconds > 0))
}

fn event(cells: &Cells, completion: Option<f64>) -> Result<Event, BadRow> {
    let at = cells.required("created_at")?;
    Ok(Event {
        user: cells.required("user_id")?.to_owned(),
        item: cells.required("item_id")?.to_owned(),
        at: Timestamp::parse(at).ok_or_else(|| cells.bad("created_at", format!("{} is not a time", quoted(at))))?,
        completion,
    })
}

fn completion(cells: &Cells) -> Result<f64, BadRow> {
    let text = cells.required("watch_percentage")?;
    let percentage: Option<f64> = text.parse().ok().filter(|percentage| (0.0..=100.0).contains(percentage));
    percentage
        .map(|percentage| percentage / 100.0)
        .ok_or_else(|| cells.bad("watch_percentage", format!("{} is not a number from 0 to 100", quoted(text))))
}
