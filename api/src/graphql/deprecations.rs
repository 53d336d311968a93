//! What the schema advises against, and which of it an operation uses.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use async_graphql::{
    Name, Positioned, Value,
    parser::{
        parse_schema,
        types::{
            BaseType, ConstDirective, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
            OperationType, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition,
        },
    },
};

/// Of the schema that is served.
pub(crate) static DEPRECATIONS: LazyLock<Deprecations> = LazyLock::new(|| Deprecations::of(&super::sdl()));

/// The deprecated fields and arguments of a schema.
pub(crate) struct Deprecations {
    /// Fields by type and name; empty if nothing is deprecated, since then nobody asks.
    types: HashMap<String, HashMap<String, Known>>,
    /// The names of what is deprecated: a document without any of them need not be looked at closely.
    names: HashSet<String>,
    roots: [String; 3],
}

struct Known {
    /// What the field leads to.
    leads_to: String,
    advice: Option<Advice>,
    arguments: HashMap<String, Advice>,
}

/// Something that should not be used any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// Where it is in the schema: `Person.recommendations`, or for an argument `Person.recommendations.first`.
    pub(crate) path: String,
    /// What to use instead, and until when it is there.
    pub(crate) reason: String,
}

/// What every reason ends with, around the date.
const REMOVAL: &str = "Removal after ";

impl Advice {
    /// The last day on which it is promised to be there, such as `2027-06-30`.
    pub(crate) fn remove_after(&self) -> Option<&str> {
        Some(self.reason.rsplit_once(REMOVAL)?.1.trim_end_matches('.'))
    }

    /// As the answer's `extensions.deprecations` tells it.
    pub(crate) fn to_value(&self) -> Value {
        let mut entries = vec![("path", self.path.as_str()), ("reason", self.reason.as_str())];
        entries.extend(self.remove_after().map(|date| ("removeAfter", date)));
        Value::Object(entries.into_iter().map(|(name, value)| (Name::new(name), value.into())).collect())
    }
}

impl Deprecations {
    /// Of a schema.
    ///
    /// # Panics
    /// If it is none.
    pub(crate) fn of(sdl: &str) -> Self {
        let document = parse_schema(sdl).expect("a schema");
        let mut found = Self {
            types: HashMap::new(),
            names: HashSet::new(),
            roots: ["Query", "Mutation", "Subscription"].map(str::to_owned),
        };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node;
            let fields = match ty.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let mut known = HashMap::new();
            for field in fields.into_iter().map(|field| field.node) {
                let path = format!("{name}.{}", field.name.node);
                let arguments: HashMap<_, _> = field
                    .arguments
                    .iter()
                    .filter_map(|argument| {
                        let name = argument.node.name.node.to_string();
                        Some((name.clone(), advice(format!("{path}.{name}"), &argument.node.directives)?))
                    })
                    .collect();
                let advice = advice(path, &field.directives);
                let name = field.name.node.to_string();
                if advice.is_some() || !arguments.is_empty() {
                    found.names.insert(name.clone());
                }
                known.insert(name, Known { leads_to: innermost(&field.ty.node), advice, arguments });
            }
            found.types.insert(name.to_string(), known);
        }
        if found.names.is_empty() {
            found.types.clear();
        }
        found
    }

    /// What an operation uses of it, each once. The document need not be valid.
    pub(crate) fn used<'a>(
        &'a self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
    ) -> Vec<&'a Advice> {
        if self.names.is_empty() || !self.may_be_used(document, operation) {
            return Vec::new();
        }
        let root = match operation.ty {
            OperationType::Query => &self.roots[0],
            OperationType::Mutation => &self.roots[1],
            OperationType::Subscription => &self.roots[2],
        };
        let mut used = BTreeMap::new();
        let mut spread = HashSet::new();
        let mut next = vec![(root.as_str(), &operation.selection_set.node)];
        while let Some((ty, selections)) = next.pop() {
            for selection in &selections.items {
                match &selection.node {
                    Selection::Field(field) => {
                        let known = self.types.get(ty).and_then(|fields| fields.get(field.node.name.node.as_str()));
                        let Some(known) = known else { continue };
                        for advice in known.of(&field.node) {
                            used.insert(advice.path.as_str(), advice);
                        }
                        next.push((&known.leads_to, &field.node.selection_set.node));
                    }
                    Selection::InlineFragment(fragment) => {
                        let on = fragment.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                        next.push((on, &fragment.node.selection_set.node));
                    }
                    // A fragment says the same wherever it is spread, so once is enough; and one may be in itself.
                    Selection::FragmentSpread(name) => {
                        let name = &name.node.fragment_name.node;
                        if let Some(fragment) = document.fragments.get(name)
                            && spread.insert(name)
                        {
                            next.push((
                                fragment.node.type_condition.node.on.node.as_str(),
                                &fragment.node.selection_set.node,
                            ));
                        }
                    }
                }
            }
        }
        used.into_values().collect()
    }

    /// Whether any field of the document has the name of something deprecated.
    fn may_be_used(&self, document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
        let fragments = document.fragments.values().map(|fragment: &Positioned<FragmentDefinition>| &fragment.node);
        let mut next: Vec<&SelectionSet> = fragments.map(|fragment| &fragment.selection_set.node).collect();
        next.push(&operation.selection_set.node);
        while let Some(selections) = next.pop() {
            for selection in &selections.items {
                match &selection.node {
                    Selection::Field(field) => {
                        if self.names.contains(field.node.name.node.as_str()) {
                            return true;
                        }
                        next.push(&field.node.selection_set.node);
                    }
                    Selection::InlineFragment(fragment) => next.push(&fragment.node.selection_set.node),
                    Selection::FragmentSpread(_) => {}
                }
            }
        }
        false
    }
}

impl Known {
    fn of<'a>(&'a self, field: &Field) -> Vec<&'a Advice> {
        let arguments = field.arguments.iter().filter_map(|(name, _)| self.arguments.get(name.node.as_str()));
        self.advice.iter().chain(arguments).collect()
    }
}

fn advice(path: String, directives: &[Positioned<ConstDirective>]) -> Option<Advice> {
    let deprecated = directives.iter().find(|directive| directive.node.name.node == "deprecated")?;
    let reason = match deprecated.node.get_argument("reason").map(|reason| &reason.node) {
        Some(Value::String(reason)) => reason.clone(),
        _ => String::new(),
    };
    Some(Advice { path, reason })
}

fn innermost(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(of) => innermost(of),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, types::DocumentOperations};

    use super::*;

    const SDL: &str = "
        type Query { me: Person, node(id: ID!): Node, course(slug: String, old: Int @deprecated(reason: \"No. Removal after 2027-01-31.\")): Course }
        interface Node { id: ID! }
        type Person implements Node { id: ID!, name: String, list: [Int!] @deprecated(reason: \"Use `page`. Removal after 2027-06-30.\"), friend: Person }
        type Course { list: [Int!] }
    ";

    fn used(query: &str) -> Vec<(String, Option<String>)> {
        let (schema, document) = (Deprecations::of(SDL), parse_query(query).unwrap());
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        let used = schema.used(&document, &operation.node);
        used.into_iter().map(|advice| (advice.path.clone(), advice.remove_after().map(str::to_owned))).collect()
    }

    #[test]
    fn each_is_found_once_wherever_it_is() {
        let list = vec![("Person.list".to_owned(), Some("2027-06-30".to_owned()))];
        assert_eq!(used("{ me { list again: list friend { list } } }"), list);
        assert_eq!(used("{ node(id: 1) { ... on Person { list } } }"), list);
        assert_eq!(used("{ me { ...a } } fragment a on Person { friend { ...a list } }"), list);
        assert_eq!(
            used("{ course(old: 1) { list } }"),
            [("Query.course.old".to_owned(), Some("2027-01-31".to_owned()))]
        );
    }

    #[test]
    fn what_has_the_same_name_elsewhere_is_not_meant() {
        assert_eq!(used("{ course(slug: \"a\") { list } me { name } }"), []);
        assert_eq!(used("{ unknown { list } }"), []);
        assert_eq!(used("{ me { name } } fragment a on Person { list }"), [], "a fragment that is not spread");
    }
}
