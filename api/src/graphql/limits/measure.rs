//! How large a document is with its fragments written out, without writing them out.

use async_graphql::Pos;

use super::{
    LimitSettings,
    exceeded::Exceeded,
    shape::{Item, Part},
};

/// How much some selections are. Sums stay where they are when they would grow beyond what can be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Fields and uses of fragments.
    pub(super) selections: u64,
    pub(super) aliases: u64,
    /// Fields at this level.
    pub(super) roots: u64,
    /// How deep fields nest, and where the deepest one is.
    pub(super) depth: u64,
    deepest: Option<Pos>,
    /// How deep fields and fragments nest.
    pub(super) levels: u64,
    /// How often the schema is asked for more of the schema.
    pub(super) introspection: u64,
}

impl Measure {
    /// Of a part, when those of the fragments that it uses are known.
    pub(super) fn of(part: &Part, fragments: &[Self]) -> Self {
        part.items.iter().fold(Self::default(), |sum, item| sum.beside(Self::of_item(item, fragments)))
    }

    fn of_item(item: &Item, fragments: &[Self]) -> Self {
        match item {
            Item::Field(field) => {
                let inside = field.inside.as_ref().map(|part| Self::of(part, fragments)).unwrap_or_default();
                Self {
                    selections: inside.selections.saturating_add(1),
                    aliases: inside.aliases.saturating_add(u64::from(field.has_alias)),
                    roots: 1,
                    depth: inside.depth + 1,
                    deepest: inside.deepest.or(Some(field.pos)),
                    levels: inside.levels + 1,
                    introspection: inside.introspection + u64::from(field.is_introspection),
                }
            }
            Item::Inline { part, .. } => Self::of(part, fragments).in_fragment(),
            Item::Spread { fragment, .. } => fragments.get(*fragment).copied().unwrap_or_default().in_fragment(),
        }
    }

    fn in_fragment(self) -> Self {
        Self { selections: self.selections.saturating_add(1), levels: self.levels + 1, ..self }
    }

    /// Both, beside each other.
    pub(super) fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            roots: self.roots.saturating_add(other.roots),
            depth: self.depth.max(other.depth),
            deepest: if other.depth > self.depth { other.deepest } else { self.deepest },
            levels: self.levels.max(other.levels),
            introspection: self.introspection.max(other.introspection),
        }
    }
}

/// How much a document may be.
pub(super) struct Bounds {
    selections: u64,
    aliases: u64,
    roots: u64,
    depth: u64,
    levels: u64,
}

/// So often one may go from the types of the schema to their fields, and on. The query of every tool goes once; each turn more
/// multiplies the answer by all there is.
const INTROSPECTION: u64 = 2;

impl Bounds {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        Self {
            selections: settings.fields,
            aliases: settings.aliases,
            roots: settings.root_fields,
            depth: settings.depth,
            levels: settings.levels(),
        }
    }

    /// Whether an operation, a fragment or all operations together are within them. How deep it goes comes first: what goes deep
    /// is large, too.
    pub(super) fn check(&self, of: &Measure, pos: Pos) -> Result<(), Box<Exceeded>> {
        let deepest = of.deepest.or(Some(pos));
        Exceeded::check("depth", (of.depth, self.depth), deepest, || {
            format!("the query is too deep: fields nest {} deep", of.depth)
        })?;
        let what = || format!("fields and fragments together nest {} deep", of.levels);
        Exceeded::check("levels", (of.levels, self.levels), Some(pos), what)?;
        let what = || format!("the schema is asked for fields of fields {} deep", of.introspection);
        Exceeded::check("introspection", (of.introspection, INTROSPECTION), Some(pos), what)?;
        let count = |of: u64| if of == u64::MAX { "countless".to_owned() } else { of.to_string() };
        let what = || {
            let selections = count(of.selections);
            format!("the document has {selections} fields and uses of fragments, with its fragments written out")
        };
        Exceeded::check("fields", (of.selections, self.selections), Some(pos), what)?;
        let what = || format!("{} fields have an alias, with the fragments written out", count(of.aliases));
        Exceeded::check("aliases", (of.aliases, self.aliases), Some(pos), what)
    }

    /// What holds for an operation, on top.
    pub(super) fn check_operation(&self, of: &Measure, pos: Pos) -> Result<(), Box<Exceeded>> {
        let what = || format!("the operation selects {} fields", of.roots);
        Exceeded::check("root_fields", (of.roots, self.roots), Some(pos), what)
    }
}
