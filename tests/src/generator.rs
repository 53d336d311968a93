//! Random queries over a whole schema: whatever field somebody adds is asked for by itself.

use std::{collections::BTreeMap, mem, sync::Mutex};

use proptest::{
    prelude::RngExt as _,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::{TestRng, TestRunner},
};
use serde_json::json;

use crate::{
    query::{Argument, Query, Selection, Value, What},
    schema::{Field, Input, Schema, TypeRef},
};

/// How deep a query goes: from a course to the authors of the answers to a post in its forum.
const DEEPEST: usize = 11;
/// How many fields with a selection a query has.
const LARGEST: usize = 80;
/// Numbers as they are asked for, reasonable and not.
const NUMBERS: &[i64] = &[10, 2, 1, 3, 100, 50, 0, -1, 300, 301];

/// What the arguments of queries are drawn from.
#[derive(Debug, Default)]
pub struct Pool {
    /// Global ids, each with the type of what it names, by type.
    ids: Vec<(&'static str, String)>,
    /// Slugs, words, languages.
    texts: Vec<String>,
    /// Cursors that were in answers, by the field that gave them.
    cursors: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Pool {
    /// Of ids, each with the type of what it names, and texts.
    pub fn new(ids: Vec<(&'static str, String)>, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Self { texts, ..Self::default() }.with_ids(ids)
    }

    /// With more ids.
    #[must_use]
    pub fn with_ids(mut self, ids: Vec<(&'static str, String)>) -> Self {
        self.ids.extend(ids);
        self.ids.sort();
        self.ids.dedup();
        self
    }

    /// Keeps cursors from an answer, each with the field that gave it, to go on from them.
    ///
    /// # Panics
    /// If another thread panicked here.
    pub fn keep_cursors(&self, found: Vec<(String, String)>) {
        let mut cursors = self.cursors.lock().expect("the cursors");
        for (field, cursor) in found {
            let kept = cursors.entry(field).or_default();
            if !kept.contains(&cursor) {
                kept.push(cursor);
            }
        }
    }
}

/// Queries as a strategy. One that fails is shrunk by taking part after part from it.
#[derive(Debug)]
pub struct Queries<'a> {
    /// What can be asked for.
    pub schema: &'a Schema,
    /// What it is asked with.
    pub pool: &'a Pool,
}

impl Queries<'_> {
    /// A query.
    pub fn draw(&self, runner: &mut TestRunner) -> Query {
        let (schema, pool) = (self.schema, self.pool);
        let mut draw = Draw { schema, pool, rng: runner.rng(), left: LARGEST, aliases: 0, wanted: None, kept: None };
        draw.query()
    }
}

impl Strategy for Queries<'_> {
    type Tree = Shrinking;
    type Value = Query;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(Shrinking { query: self.draw(runner), whole: None, part: 0 })
    }
}

/// A query, getting smaller.
#[derive(Debug)]
pub struct Shrinking {
    query: Query,
    whole: Option<Query>,
    part: usize,
}

impl ValueTree for Shrinking {
    type Value = Query;

    fn current(&self) -> Query {
        self.query.clone()
    }

    fn simplify(&mut self) -> bool {
        let mut smaller = self.query.clone();
        let found = smaller.take_away(self.part);
        if found {
            self.whole = Some(mem::replace(&mut self.query, smaller));
        }
        found
    }

    fn complicate(&mut self) -> bool {
        let Some(whole) = self.whole.take() else { return false };
        self.query = whole;
        // This part is needed; the next one may not be.
        self.part += 1;
        self.simplify()
    }
}

struct Draw<'a> {
    schema: &'a Schema,
    pool: &'a Pool,
    rng: &'a mut TestRng,
    /// How many more fields with a selection there may be.
    left: usize,
    aliases: usize,
    /// The type of the thing whose id was given last.
    wanted: Option<&'static str>,
    /// The type that all ids of a list are of.
    kept: Option<&'static str>,
}

impl<'a> Draw<'a> {
    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    fn pick<T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { Some(&from[self.below(from.len())]) }
    }

    fn query(&mut self) -> Query {
        let mut selections = Vec::new();
        while selections.is_empty() || (self.left > LARGEST / 4 && !self.one_in(8)) {
            let schema = self.schema;
            let field = self.pick(&schema.get(&schema.query).fields).expect("a field to ask for");
            selections.push(self.field(&schema.query, field, 1, true));
        }
        Query { selections, headers: self.headers() }
    }

    fn headers(&mut self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self.one_in(5) {
            headers.push(("stoa-denied-fields", "errors".to_owned()));
        }
        if self.one_in(4) {
            headers.push(("accept", "application/graphql-response+json".to_owned()));
        }
        if self.one_in(8) {
            let relation = if self.one_in(2) { "STAFF" } else { "CLASSMATE" };
            headers.push(("stoa-seen-as", format!("{relation} {}", self.id(Some("Course")))));
        }
        headers
    }

    fn set(&mut self, of: &str, depth: usize) -> Vec<Selection> {
        let schema = self.schema;
        let ty = schema.get(of);
        let mut selections = Vec::new();
        if self.one_in(6) {
            selections.push(leaf(of, "__typename"));
        }
        if ty.is_abstract {
            let wanted = self.wanted.take();
            for possible in &ty.possible {
                if wanted == Some(possible.as_str()) || self.one_in(6) {
                    let inside = self.set(possible, depth);
                    let what = What::Fragment { on: possible.clone(), is_named: self.one_in(3) };
                    selections.push(Selection { what, inside });
                }
            }
            // Two objects may have fields of one name and different types.
            for fragment in &mut selections {
                self.rename(&mut fragment.inside);
            }
        }
        let (leaves, others): (Vec<_>, Vec<_>) = ty.fields.iter().partition(|field| schema.get(&field.named).is_leaf);
        for field in leaves {
            if !self.one_in(3) {
                let renamed = self.one_in(8);
                selections.push(self.field(of, field, depth, renamed));
            }
        }
        let mut wanted = if others.is_empty() || depth >= DEEPEST { 0 } else { 1 + self.below(3) };
        let (start, all) = (self.below(others.len().max(1)), others.len());
        for index in 0..all {
            if wanted == 0 || self.left == 0 {
                break;
            }
            wanted -= 1;
            selections.push(self.field(of, others[(start + index) % all], depth, false));
        }
        selections
    }

    fn field(&mut self, of: &str, field: &'a Field, depth: usize, renamed: bool) -> Selection {
        let arguments = self.arguments(field);
        let is_leaf = self.schema.get(&field.named).is_leaf;
        let alias = if renamed || !arguments.is_empty() { Some(self.alias()) } else { None };
        let inside = if is_leaf {
            Vec::new()
        } else {
            self.left = self.left.saturating_sub(1);
            self.set(&field.named, depth + 1)
        };
        self.wanted = None;
        Selection {
            what: What::Field { alias, field: (of.to_owned(), field.name.clone()), arguments, is_leaf },
            inside,
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("a{}", self.aliases)
    }

    fn rename(&mut self, selections: &mut [Selection]) {
        for selection in selections {
            if let What::Field { alias: alias @ None, .. } = &mut selection.what {
                *alias = Some(self.alias());
            }
        }
    }

    fn arguments(&mut self, field: &'a Field) -> Vec<Argument> {
        let takes = |name: &str| field.arguments.iter().any(|argument| argument.name == name);
        // A page needs one bound and perhaps a cursor that goes with it; now and then it gets whatever comes.
        let unwanted: &[&str] = match self.below(16) {
            _ if !takes("first") || !takes("last") => &[],
            0 => &[],
            1..11 => &["last", "before"],
            _ => &["first", "after"],
        };
        let mut arguments = Vec::new();
        for input in &field.arguments {
            let is_bound = !unwanted.is_empty() && matches!(input.name.as_str(), "first" | "last");
            let is_left_out = unwanted.contains(&input.name.as_str());
            // What narrows an answer hides from us, too.
            if !is_left_out && (is_bound || input.is_required || self.one_in(4)) {
                let value = match self.count() {
                    count if is_bound => Value::Plain(json!(count)),
                    _ => self.value(&field.name, input, &input.of),
                };
                let (name, of, is_required) = (input.name.clone(), input.of.clone(), input.is_required || is_bound);
                arguments.push(Argument { name, of, value, is_variable: self.one_in(4), is_required });
            }
        }
        arguments
    }

    /// The length of a page: mostly one that holds all there is, or cuts it.
    fn count(&mut self) -> i64 {
        if self.one_in(16) { NUMBERS[self.below(NUMBERS.len())] } else { NUMBERS[self.below(5)] }
    }

    fn value(&mut self, field: &str, input: &'a Input, of: &'a TypeRef) -> Value {
        let name = match of {
            TypeRef::NonNull(of) => return self.some_value(field, input, of),
            of if !self.one_in(16) => return self.some_value(field, input, of),
            _ => json!(null),
        };
        Value::Plain(name)
    }

    fn some_value(&mut self, field: &str, input: &'a Input, of: &'a TypeRef) -> Value {
        let schema = self.schema;
        let name = match of {
            TypeRef::NonNull(of) => return self.some_value(field, input, of),
            TypeRef::List(of) => {
                let (length, one_type) = (1 + self.below(8), !self.one_in(3));
                let mut values = Vec::new();
                while values.len() < length {
                    values.push(self.some_value(field, input, of));
                    self.kept = self.wanted.filter(|_| one_type);
                }
                self.kept = None;
                return Value::List(values);
            }
            TypeRef::Named(name) => name,
        };
        let ty = schema.get(name);
        if let Some(value) = self.pick(&ty.values) {
            return Value::Name(value.clone());
        }
        if !ty.inputs.is_empty() {
            let mut fields = Vec::new();
            for input in &ty.inputs {
                if input.is_required || self.one_in(3) {
                    fields.push((input.name.clone(), self.value(field, input, &input.of)));
                }
            }
            return Value::Object(fields);
        }
        Value::Plain(match (name.as_str(), input.name.as_str()) {
            ("Int" | "Float", _) => json!(NUMBERS[self.below(NUMBERS.len())]),
            ("Boolean", _) => json!(self.one_in(2)),
            ("ID", _) => json!(self.id(self.kept.or_else(|| type_named(&input.name)))),
            ("DateTime", _) => json!("2026-02-01T00:00:00Z"),
            (_, "after" | "before") => json!(self.cursor(field)),
            _ => json!(self.pick(&self.pool.texts).cloned().unwrap_or_default()),
        })
    }

    /// An id, mostly of the type that fits.
    fn id(&mut self, of: Option<&'static str>) -> String {
        let pool = self.pool;
        let of = match of {
            Some(of) if self.kept.is_some() || !self.one_in(8) => Some(of),
            // Every type as often as any other, however many there are of it.
            _ => {
                let mut types: Vec<_> = pool.ids.iter().map(|(of, _)| *of).collect();
                types.dedup();
                if types.is_empty() { None } else { Some(types[self.below(types.len())]) }
            }
        };
        let fitting: Vec<_> = pool.ids.iter().filter(|(name, _)| Some(*name) == of).collect();
        self.wanted = of;
        if fitting.is_empty() { String::new() } else { fitting[self.below(fitting.len())].1.clone() }
    }

    /// A cursor, mostly from a list of this name.
    fn cursor(&mut self, field: &str) -> String {
        let cursors = self.pool.cursors.lock().expect("the cursors");
        let own = !self.rng.random_ratio(1, 8);
        let kept: Vec<_> =
            cursors.iter().filter(|(name, _)| !own || *name == field).flat_map(|(_, kept)| kept).collect();
        if kept.is_empty() { "nonsense".to_owned() } else { kept[self.rng.random_range(0..kept.len())].clone() }
    }
}

fn leaf(of: &str, name: &str) -> Selection {
    let field = (of.to_owned(), name.to_owned());
    Selection { what: What::Field { alias: None, field, arguments: Vec::new(), is_leaf: true }, inside: Vec::new() }
}

/// Of what an argument of this name takes the id.
fn type_named(argument: &str) -> Option<&'static str> {
    match argument {
        "learner" | "learnerId" | "person" | "personId" => Some("Person"),
        "course" | "courseId" => Some("Course"),
        _ => None,
    }
}
