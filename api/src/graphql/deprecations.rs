//! What the schema advises against, and which of it an operation uses.

use std::collections::{BTreeMap, HashSet};

use async_graphql::{
    Name, Positioned, Value,
    parser::types::{ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet},
};

use super::index::Index;

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

/// What an operation uses of it, each once. The document need not be valid.
pub(crate) fn used<'a>(
    index: &'a Index,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Vec<&'a Advice> {
    if !may_be_used(index, document, operation) {
        return Vec::new();
    }
    let mut used = BTreeMap::new();
    let mut spread = HashSet::new();
    let mut next = vec![(index.root(operation.ty), &operation.selection_set.node)];
    while let Some((ty, selections)) = next.pop() {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let Some(known) = ty.and_then(|ty| ty.field(&field.node.name.node)) else { continue };
                    for advice in known.advice(field.node.arguments.iter().map(|(name, _)| name.node.as_str())) {
                        used.insert(advice.path.as_str(), advice);
                    }
                    next.push((index.get(&known.of), &field.node.selection_set.node));
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref();
                    let on = on.map_or(ty, |on| index.get(&on.node.on.node));
                    next.push((on, &fragment.node.selection_set.node));
                }
                // A fragment says the same wherever it is spread, so once is enough; and one may be in itself.
                Selection::FragmentSpread(name) => {
                    let name = &name.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name)
                        && spread.insert(name)
                    {
                        let on = index.get(&fragment.node.type_condition.node.on.node);
                        next.push((on, &fragment.node.selection_set.node));
                    }
                }
            }
        }
    }
    used.into_values().collect()
}

/// Whether any field of the document has the name of something deprecated.
fn may_be_used(index: &Index, document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    let fragments = document.fragments.values().map(|fragment: &Positioned<FragmentDefinition>| &fragment.node);
    let mut next: Vec<&SelectionSet> = fragments.map(|fragment| &fragment.selection_set.node).collect();
    next.push(&operation.selection_set.node);
    while let Some(selections) = next.pop() {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    if index.has_advice_on(&field.node.name.node) {
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

#[cfg(test)]
mod tests {
    use async_graphql::{
        Interface, Object, OutputType as _,
        parser::{parse_query, types::DocumentOperations},
        registry::Registry,
    };

    use super::*;

    struct Query;

    struct Course;

    struct Person;

    #[derive(Interface)]
    #[graphql(field(name = "id", ty = "i32"))]
    enum Node {
        Person(Person),
    }

    #[Object]
    impl Query {
        async fn me(&self) -> Person {
            Person
        }

        async fn node(&self, id: i32) -> Node {
            let _ = id;
            Node::Person(Person)
        }

        async fn course(
            &self,
            slug: Option<String>,
            #[graphql(deprecation = "No. Removal after 2027-01-31.")] old: Option<i32>,
        ) -> Course {
            let _ = (slug, old);
            Course
        }
    }

    #[Object]
    impl Course {
        async fn list(&self) -> Vec<i32> {
            Vec::new()
        }
    }

    #[Object]
    impl Person {
        async fn id(&self) -> i32 {
            0
        }

        async fn name(&self) -> &str {
            ""
        }

        #[graphql(deprecation = "Use `page`. Removal after 2027-06-30.")]
        async fn list(&self) -> Vec<i32> {
            Vec::new()
        }

        async fn friend(&self) -> Person {
            Person
        }
    }

    fn index() -> Index {
        let mut registry = Registry::default();
        Query::create_type_info(&mut registry);
        registry.query_type = Query::type_name().into_owned();
        Index::of(&registry)
    }

    fn used(query: &str) -> Vec<(String, Option<String>)> {
        let (index, document) = (index(), parse_query(query).unwrap());
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        let used = super::used(&index, &document, &operation.node);
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
