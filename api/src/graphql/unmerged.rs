//! Whether a document asks for each object in one place.
//!
//! What [`super::direct`] has written can't be merged with more of the same object.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// In the data of a request whose document asks for each object in one place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unmerged;

/// Whether a document asks for each object in one place of a selection set, fragments included. In doubt it does not.
pub(crate) fn is_unmerged(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let mut places = Places { document, steps: 0 };
    operations.chain(fragments).all(|selected| places.are_single(selected))
}

/// Looks for things that are asked for in two places.
struct Places<'a> {
    document: &'a ExecutableDocument,
    steps: usize,
}

impl<'a> Places<'a> {
    /// More steps than this are not worth it: fragments within fragments can be made to need any number.
    const MOST: usize = 20_000;

    /// In this selection set, and in all below it.
    fn are_single(&mut self, selected: &'a SelectionSet) -> bool {
        self.note(selected, &mut HashMap::new(), &mut HashSet::new()) && self.are_single_below(selected)
    }

    fn are_single_below(&mut self, selected: &'a SelectionSet) -> bool {
        selected.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => self.are_single(&field.node.selection_set.node),
            Selection::InlineFragment(fragment) => self.are_single_below(&fragment.node.selection_set.node),
            // Each fragment is looked at for itself.
            Selection::FragmentSpread(_) => true,
        })
    }

    /// Notes under which keys a selection set asks for what, and whether it is an object.
    fn note(
        &mut self,
        selected: &'a SelectionSet,
        keys: &mut HashMap<&'a str, bool>,
        spread: &mut HashSet<&'a str>,
    ) -> bool {
        self.steps += selected.items.len();
        self.steps < Self::MOST
            && selected.items.iter().all(|selection| match &selection.node {
                Selection::Field(field) => {
                    let is_object = !field.node.selection_set.node.items.is_empty();
                    let before = keys.insert(field.node.response_key().node.as_str(), is_object);
                    before.is_none() || (before == Some(false) && !is_object)
                }
                Selection::InlineFragment(fragment) => self.note(&fragment.node.selection_set.node, keys, spread),
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    let found = self.document.fragments.get(name);
                    spread.insert(name)
                        && found.is_none_or(|found| self.note(&found.node.selection_set.node, keys, spread))
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Value};
    use stoa_macros::Object;

    use super::{Unmerged, is_unmerged};
    use crate::graphql::{direct::List, json};

    struct Thing(i32);

    #[Object]
    impl Thing {
        async fn number(&self) -> i32 {
            self.0
        }

        async fn waits(&self) -> Option<i32> {
            tokio::task::yield_now().await;
            (self.0 > 1).then_some(self.0)
        }
    }

    struct Query;

    #[async_graphql::Object]
    impl Query {
        async fn things(&self) -> List<Thing> {
            List(vec![Thing(1), Thing(2)])
        }

        async fn thing(&self) -> Thing {
            Thing(3)
        }
    }

    /// What a query gives, and whether the list and the thing came as values.
    async fn asked(is_unmerged: bool) -> (String, [bool; 2]) {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let query = Request::new(
            "{ things { n: number __typename ...More number } thing { waits } } fragment More on Thing { waits }",
        );
        let query = if is_unmerged { query.data(Unmerged) } else { query };
        let response = schema.execute(query).await.into_result().unwrap();
        let Value::Object(data) = &response.data else { panic!("{response:?}") };
        let is_value = |field: &str| !matches!(data[field], Value::Binary(_));
        let mut out = Vec::new();
        json::write(&mut out, &response.data);
        (String::from_utf8(out).unwrap(), [is_value("things"), is_value("thing")])
    }

    #[tokio::test]
    async fn only_what_is_asked_for_once_is_written_straight_and_reads_the_same() {
        let data = r#"{"things":[{"n":1,"__typename":"Thing","waits":null,"number":1},{"n":2,"__typename":"Thing","waits":2,"number":2}],"thing":{"waits":3}}"#;
        assert_eq!(asked(true).await, (data.to_owned(), [false, false]));
        assert_eq!(asked(false).await, (data.to_owned(), [true, true]));
    }

    #[test]
    fn a_document_that_asks_for_an_object_twice_is_found() {
        let once = |text| is_unmerged(&async_graphql::parser::parse_query(text).unwrap());
        assert!(once("{ me { id id name } courses(first: 1) { nodes { id } } }"));
        assert!(once("{ a: me { id } b: me { id } }"));
        assert!(once("{ me { id ...A ... on Person { id } } } fragment A on Person { id name }"));
        assert!(!once("{ me { id } me { name } }"));
        assert!(!once("{ me { leftOff { at } ...A } } fragment A on Person { leftOff { position } }"));
        assert!(!once("{ me { ... on Person { leftOff { at } } leftOff { position } } }"));
        assert!(!once("{ me { name } } fragment A on Person { leftOff { at } leftOff { at } }"));
        // A fragment in itself is refused by validation; here it must come to an end.
        assert!(!once("{ me { ...A } } fragment A on Person { name ...A }"));
    }
}
