//! The schema as a table: which fields a type has, of which type they are, and what they cost.
//!
//! It is read once, out of the registry that the schema is made of, so it can't differ from what is served. Whoever looks at
//! documents without executing them asks here: the limits, the price list, the use of deprecated fields.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field as AstField, OperationType},
    registry::{Deprecation, MetaField, MetaType, Registry},
};

use super::{
    deprecations::Advice,
    limits::prices::{Price, price},
};

/// The types that can be selected from, by name.
#[derive(Debug, Default)]
pub struct Index {
    types: HashMap<Box<str>, Type>,
    /// The names of fields that are deprecated, or have an argument that is: a document without any of them need not be looked
    /// at closely.
    advised: HashSet<Box<str>>,
    roots: [Option<Box<str>>; 3],
}

/// A type with fields, or a union.
#[derive(Debug)]
pub struct Type {
    /// Its name.
    pub name: Box<str>,
    /// Whether it is an interface or a union.
    pub is_abstract: bool,
    fields: HashMap<Box<str>, Field>,
}

/// A field of a type.
#[derive(Debug)]
pub struct Field {
    /// The name of its type, without the marks of lists and of what can't be null.
    pub of: Box<str>,
    /// Whether it is a list.
    pub is_list: bool,
    pub(crate) price: Price,
    advice: Option<Advice>,
    /// Of its arguments, those that are deprecated.
    advised: HashMap<Box<str>, Advice>,
    /// What an argument is if it is not given, for those whose default is a number.
    defaults: HashMap<Box<str>, i64>,
}

static INDEX: OnceLock<Index> = OnceLock::new();

/// The index of the one schema there is.
pub fn index() -> &'static Index {
    if INDEX.get().is_none() {
        // Whoever builds the schema fills it (see `Indexed`).
        drop(super::builder());
    }
    INDEX.get_or_init(Index::default)
}

impl Index {
    /// The type of this name, if it is one that is selected from.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// The type that operations of a kind begin at.
    pub fn root(&self, of: OperationType) -> Option<&Type> {
        let place = match of {
            OperationType::Query => 0,
            OperationType::Mutation => 1,
            OperationType::Subscription => 2,
        };
        self.get(self.roots[place].as_deref()?)
    }

    /// Every type.
    pub fn types(&self) -> impl Iterator<Item = &Type> {
        self.types.values()
    }

    /// Whether a field of this name, of whichever type, is deprecated or has an argument that is.
    pub(super) fn has_advice_on(&self, field: &str) -> bool {
        self.advised.contains(field)
    }

    pub(super) fn of(registry: &Registry) -> Self {
        let types = registry.types.iter().filter_map(|(name, ty)| {
            let (fields, is_abstract) = match ty {
                MetaType::Object { fields, .. } => (Some(fields), false),
                MetaType::Interface { fields, .. } => (Some(fields), true),
                MetaType::Union { .. } => (None, true),
                _ => return None,
            };
            let fields = fields.into_iter().flatten();
            let fields = fields.map(|(field, meta)| (field.as_str().into(), Field::of(registry, name, meta))).collect();
            let name: Box<str> = name.as_str().into();
            Some((name.clone(), Type { name, is_abstract, fields }))
        });
        let types: HashMap<Box<str>, Type> = types.collect();
        let fields = types.values().flat_map(|ty: &Type| &ty.fields);
        let advised = fields.filter(|(_, field)| field.advice.is_some() || !field.advised.is_empty());
        let advised = advised.map(|(name, _)| name.clone()).collect();
        let root = |name: Option<&String>| name.map(|name| name.as_str().into());
        Self {
            types,
            advised,
            roots: [
                root(Some(&registry.query_type)),
                root(registry.mutation_type.as_ref()),
                root(registry.subscription_type.as_ref()),
            ],
        }
    }
}

impl Type {
    /// A field that can be selected. `__typename` is none that is known here: every type has it.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// Every field, with its name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|(name, field)| (&**name, field))
    }
}

impl Field {
    /// What an argument is if it is not given, if that is a number.
    pub fn default_of(&self, argument: &str) -> Option<i64> {
        self.defaults.get(argument).copied()
    }

    /// What there is to say against using it with these arguments.
    pub(super) fn advice<'a>(&self, arguments: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &Advice> {
        self.advice.iter().chain(arguments.filter_map(|name| self.advised.get(name)))
    }

    fn of(registry: &Registry, ty: &str, meta: &MetaField) -> Self {
        let named = meta.ty.trim_matches(['[', ']', '!']);
        let defaults = meta.args.iter().filter_map(|(name, argument)| {
            Some((name.as_str().into(), argument.default_value.as_deref()?.parse().ok()?))
        });
        let advised = meta.args.iter().filter_map(|(name, argument)| {
            let advice = advice(&argument.deprecation, || format!("{ty}.{}.{name}", meta.name))?;
            Some((name.as_str().into(), advice))
        });
        Self {
            of: named.into(),
            is_list: meta.ty.starts_with('['),
            price: price(registry, ty, meta),
            advice: advice(&meta.deprecation, || format!("{ty}.{}", meta.name)),
            advised: advised.collect(),
            defaults: defaults.collect(),
        }
    }
}

fn advice(deprecation: &Deprecation, path: impl FnOnce() -> String) -> Option<Advice> {
    let reason = || deprecation.reason().unwrap_or_default().to_owned();
    deprecation.is_deprecated().then(|| Advice { path: path(), reason: reason() })
}

/// No type of the graph: a place where the builder of the schema hands out its registry. It is registered last.
pub(super) struct Indexed;

impl OutputType for Indexed {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Query")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        super::limits::prices::print(registry);
        INDEX.get_or_init(|| Index::of(registry));
        Self::qualified_type_name()
    }

    async fn resolve(&self, _ctx: &ContextSelectionSet<'_>, _field: &Positioned<AstField>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_knows_types_lists_defaults_and_introspection() {
        let index = index();
        let query = index.root(OperationType::Query).unwrap();
        assert_eq!(&*query.name, "Query");
        let courses = query.field("courses").unwrap();
        assert_eq!((&*courses.of, courses.is_list), ("CourseConnection", false));
        let nodes = index.get(&courses.of).unwrap().field("nodes").unwrap();
        assert_eq!((&*nodes.of, nodes.is_list), ("Course", true));
        assert_eq!(index.get("Person").unwrap().field("recommendations").unwrap().default_of("first"), Some(10));
        assert!(index.get("Node").unwrap().is_abstract && index.get("Bookmarked").unwrap().is_abstract);
        assert_eq!(&*query.field("__schema").unwrap().of, "__Schema");
        assert!(index.root(OperationType::Mutation).unwrap().field("enroll").is_some());
        assert!(index.root(OperationType::Subscription).unwrap().field("postAdded").is_some());
        assert!(index.get("Level").is_none(), "nothing is selected from an enum");
    }
}
