//! What an operation costs, before it runs.

use std::collections::HashMap;

use async_graphql::{Name, ServerError, Value, Variables};

use super::{
    LimitSettings,
    prices::{LONGEST_PAGE, Size},
    shape::{Applies, Count, Item, Operation, Part, Selected, Shape},
};

/// The code of an operation that costs more than any may.
pub(crate) const TOO_EXPENSIVE: &str = "QUERY_TOO_EXPENSIVE";

/// What some selections cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    /// Once.
    once: u64,
    /// For each thing of the page that they are selected of.
    each: u64,
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self { once: self.once.saturating_add(other.once), each: self.each.saturating_add(other.each) }
    }

    /// If it is the one or the other, and not known which.
    fn or(self, other: Self) -> Self {
        Self { once: self.once.max(other.once), each: self.each.max(other.each) }
    }

    /// With so many things on the page.
    fn on_page(self, things: u64) -> u64 {
        self.once.saturating_add(self.each.saturating_mul(things))
    }
}

/// What a field of an operation costs, wherever it is resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldCost {
    /// The names by which it is reached, as the answer has them.
    pub(crate) path: String,
    /// Itself, without what is selected of it.
    pub(crate) cost: u64,
    /// With what is selected of it.
    pub(crate) with_selection: u64,
    /// How many of it there are taken to be.
    pub(crate) times: u64,
}

impl Shape {
    /// What an operation costs; `None` if it is not clear which one is meant.
    pub(crate) fn price(&self, operation: Option<&str>, variables: &Variables) -> Option<u64> {
        let operation = self.operation(operation)?;
        let pricing = Pricing::new(self, operation, variables);
        Some(pricing.part(&operation.part).on_page(1))
    }

    /// What each field of an operation costs, the dearest first.
    pub(crate) fn explain(&self, operation: Option<&str>, variables: &Variables) -> Vec<FieldCost> {
        let Some(operation) = self.operation(operation) else { return Vec::new() };
        let pricing = Pricing::new(self, operation, variables);
        let mut fields = Vec::new();
        pricing.explain(&operation.part, &Place { path: "", times: 1, page: 1 }, &mut fields);
        fields.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.path.cmp(&b.path)));
        fields
    }

    /// The error of an operation that costs more than any may.
    pub(crate) fn too_expensive(
        &self,
        operation: Option<&str>,
        variables: &Variables,
        cost: u64,
        settings: &LimitSettings,
    ) -> ServerError {
        let dearest = self.explain(operation, variables).into_iter().next();
        let most = settings.cost;
        let mut message = format!("this would cost {cost}, and one request may cost {most}");
        if let Some(field) = &dearest {
            let percent = share(field.cost, cost) * 100.0;
            message += &format!("; `{}` costs most of it, {} or {percent:.0} %", field.path, field.cost);
        }
        message += ": ask for shorter pages, or in several requests";
        let mut error = ServerError::new(message, None);
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", TOO_EXPENSIVE);
        extensions.set("cost", cost);
        extensions.set("most", most);
        if let Some(field) = dearest {
            extensions.set("field", field.path);
            extensions.set("fieldCost", field.cost);
            extensions.set("fieldShare", share(field.cost, cost));
        }
        error
    }

    /// The operation that is meant.
    fn operation(&self, name: Option<&str>) -> Option<&Operation> {
        match (name, self.operations.as_slice()) {
            (None, [operation]) => Some(operation),
            (None, _) => None,
            (Some(name), all) => all.iter().find(|operation| operation.name.as_ref().is_some_and(|own| own == name)),
        }
    }
}

/// Which part of a whole it is, 0 to 1, to a thousandth.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 1_000.0).round() / 1_000.0
}

/// Where selections are.
struct Place<'a> {
    path: &'a str,
    /// How many things they are selected of.
    times: u64,
    /// How many things the page has that they are selected of.
    page: u64,
}

struct Pricing<'a> {
    shape: &'a Shape,
    operation: &'a Operation,
    variables: &'a Variables,
    fragments: Vec<Cost>,
}

impl<'a> Pricing<'a> {
    fn new(shape: &'a Shape, operation: &'a Operation, variables: &'a Variables) -> Self {
        let fragments = vec![Cost::default(); shape.fragments.len()];
        let mut pricing = Self { shape, operation, variables, fragments };
        for number in &shape.order {
            pricing.fragments[*number] = pricing.part(&shape.fragments[*number]);
        }
        pricing
    }

    fn part(&self, part: &Part) -> Cost {
        let mut always = Cost::default();
        let mut branches: HashMap<&Name, Cost> = HashMap::new();
        for item in &part.items {
            let (cost, applies) = match item {
                Item::Field(field) if field.is_asked => (self.field(field), &Applies::Always),
                Item::Field(_) => continue,
                Item::Inline { part, applies } => (self.part(part), applies),
                Item::Spread { fragment, applies } => (self.fragments[*fragment], applies),
            };
            match applies {
                Applies::Always => always = always.plus(cost),
                Applies::To(ty) => {
                    let branch = branches.entry(ty).or_default();
                    *branch = branch.plus(cost);
                }
                Applies::Never => {}
            }
        }
        always.plus(branches.into_values().fold(Cost::default(), Cost::or))
    }

    fn field(&self, field: &Selected) -> Cost {
        let inside = field.inside.as_ref().map(|part| self.part(part)).unwrap_or_default();
        let weight = field.price.weight;
        let once = |cost: u64| Cost { once: weight.saturating_add(cost), each: 0 };
        match field.price.size {
            Size::One => once(inside.on_page(1)),
            Size::Page => once(inside.on_page(self.things(field))),
            Size::Assumed(_) | Size::Asked(_) => {
                let each = inside.on_page(1).saturating_add(1);
                once(each.saturating_mul(self.things(field)))
            }
            Size::OfPage => Cost { once: weight, each: inside.on_page(1).saturating_add(1) },
        }
    }

    /// How many things a field leads to.
    fn things(&self, field: &Selected) -> u64 {
        let most = match field.price.size {
            Size::Assumed(size) => return size,
            Size::Page => LONGEST_PAGE,
            // How many ids may be sent has a limit of its own.
            _ => u64::MAX,
        };
        let found = field.counts.iter().find_map(|count| match count {
            Count::Number(number) => Some(*number),
            Count::Variable(name) => match self.variables.get(name) {
                Some(Value::Null) => None,
                Some(value) => Some(size_of(value)),
                None => self.operation.defaults.get(name).copied(),
            },
        });
        // Without any, the field is an error.
        found.unwrap_or(1).min(most)
    }

    fn explain(&self, part: &Part, place: &Place<'_>, fields: &mut Vec<FieldCost>) {
        let mut branches: HashMap<&Name, Cost> = HashMap::new();
        let mut named = Vec::new();
        for item in &part.items {
            let (part, cost, applies) = match item {
                Item::Field(field) if field.is_asked => {
                    self.explain_field(field, place, fields);
                    continue;
                }
                Item::Field(_) => continue,
                Item::Inline { part, applies } => (part, self.part(part), applies),
                Item::Spread { fragment, applies } => {
                    (&self.shape.fragments[*fragment], self.fragments[*fragment], applies)
                }
            };
            match applies {
                Applies::Always => self.explain(part, place, fields),
                Applies::To(ty) => {
                    let branch = branches.entry(ty).or_default();
                    *branch = branch.plus(cost);
                    named.push((ty, part));
                }
                Applies::Never => {}
            }
        }
        // Of several types that a thing may be of, the dearest counts.
        let dearest = branches.into_iter().max_by(|(a, x), (b, y)| x.once.cmp(&y.once).then_with(|| b.cmp(a)));
        for (ty, part) in named {
            if dearest.as_ref().is_some_and(|(dearest, _)| *dearest == ty) {
                self.explain(part, place, fields);
            }
        }
    }

    fn explain_field(&self, field: &Selected, place: &Place<'_>, fields: &mut Vec<FieldCost>) {
        let path = if place.path.is_empty() { field.key.to_string() } else { format!("{}.{}", place.path, field.key) };
        let things = match field.price.size {
            Size::One => 1,
            Size::OfPage => place.page,
            _ => self.things(field),
        };
        let is_list = !matches!(field.price.size, Size::One | Size::Page);
        let times = if is_list { place.times.saturating_mul(things) } else { place.times };
        let own = place.times.saturating_mul(field.price.weight).saturating_add(if is_list { times } else { 0 });
        let cost = self.field(field);
        let with_selection = place.times.saturating_mul(cost.on_page(place.page));
        fields.push(FieldCost { path: path.clone(), cost: own, with_selection, times });
        if let Some(inside) = &field.inside {
            let page = if field.price.size == Size::Page { things } else { 1 };
            self.explain(inside, &Place { path: &path, times, page }, fields);
        }
    }
}

/// As a variable: a number asks for so many, a list for as many as it has.
fn size_of(value: &Value) -> u64 {
    match value {
        Value::Number(number) => number.as_u64().unwrap_or_default(),
        Value::List(items) => items.len() as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::graphql::index::index;

    fn shape(document: &str) -> Shape {
        Shape::of(&parse_query(document).unwrap(), index(), &LimitSettings::default()).unwrap()
    }

    fn cost_with(document: &str, variables: Json) -> u64 {
        let shape = shape(document);
        let variables = Variables::from_json(variables);
        let cost = shape.price(None, &variables).unwrap();
        let fields = shape.explain(None, &variables);
        assert_eq!(fields.iter().map(|field| field.cost).sum::<u64>(), cost, "the parts are the whole: {fields:#?}");
        cost
    }

    fn cost(document: &str) -> u64 {
        cost_with(document, json!({}))
    }

    #[test]
    fn a_field_costs_one_and_a_list_one_for_each_thing() {
        assert_eq!(cost("{ me { name } }"), 2);
        assert_eq!(cost("{ me { name email } }"), 3);
        assert_eq!(cost("{ topics { slug } }"), 1 + 30 * (1 + 1));
        assert_eq!(cost("{ courses(first: 10) { nodes { title } } }"), 5 + 10 * (1 + 1));
        assert_eq!(
            cost("{ courses(first: 10) { edges { cursor node { title } } pageInfo { hasNextPage } } }"),
            5 + 10 * (1 + 1 + 2) + 2
        );
        // The example of docs/LIMITS.md.
        assert_eq!(
            cost("{ courses(first: 20) { nodes { title modules { title lessons { title } } } } }"),
            5 + 20 * (1 + 1 + (1 + 10 * (1 + 1 + (1 + 10 * (1 + 1)))))
        );
        assert_eq!(cost("{ me { nextCourses(first: 5) { items { course { title } } } } }"), 1 + 50 + 5 * (1 + 2));
        assert_eq!(cost("{ me { recommendations { score } } }"), 1 + 50 + 10 * (1 + 1), "the default of an argument");
        assert_eq!(cost("{ nodes(ids: [\"a\", \"b\", \"c\"]) { id } }"), 1 + 3 * 2);
        assert_eq!(cost("mutation { revokeOtherSessions { userErrors { code } } }"), 10 + 1 + 2 * 2);
    }

    #[test]
    fn variables_say_how_long_a_page_is_and_defaults_where_they_do_not() {
        let document =
            "query($n: Int = 7, $ids: [ID!]! = []) { courses(first: $n) { nodes { id } } nodes(ids: $ids) { id } }";
        assert_eq!(cost_with(document, json!({ "n": 3, "ids": ["a", "b"] })), 5 + 3 * 2 + 1 + 2 * 2);
        assert_eq!(cost(document), 5 + 7 * 2 + 1);
        let document = "query($n: Int, $m: Int) { courses(first: $n, last: $m) { nodes { id } } }";
        assert_eq!(cost_with(document, json!({ "n": null, "m": 4 })), 5 + 4 * 2);
        assert_eq!(cost_with(document, json!({ "n": -4 })), 5);
        assert_eq!(cost_with(document, json!({ "n": 2_147_483_647 })), 5 + 300 * 2, "a longer page is an error");
        assert_eq!(cost_with(document, json!({ "n": "many" })), 5);
        assert_eq!(cost(document), 5 + 2);
    }

    #[test]
    fn what_is_left_out_for_sure_costs_nothing_and_what_may_be_there_costs() {
        assert_eq!(cost("{ me { name @skip(if: true) email @include(if: false) id } }"), 2);
        assert_eq!(cost("query($x: Boolean!) { me { name @skip(if: $x) ... @include(if: $x) { email } } }"), 3);
        assert_eq!(
            cost("{ me { id ... @skip(if: true) { name } ...F @include(if: false) } } fragment F on Person { email }"),
            2
        );
    }

    #[test]
    fn of_the_types_that_a_thing_may_be_of_the_dearest_counts() {
        let document = "{ node(id: \"x\") { id ... on Person { name } ... on Course { title slug } ...F } } fragment F on Course { level }";
        assert_eq!(cost(document), 1 + 1 + 3);
        assert_eq!(cost("{ node(id: \"x\") { ... on Node { id } ... on Person { name } } }"), 1 + 1 + 1);
    }

    #[test]
    fn fragments_cost_what_they_would_cost_written_out() {
        let document = "{ courses(first: 10) { ...P } } fragment P on CourseConnection { nodes { ...C ...C } pageInfo { endCursor } } fragment C on Course { id topics { slug } }";
        assert_eq!(cost(document), 5 + 10 * (1 + 2 * (1 + (1 + 5 * 2))) + 2);
    }

    #[test]
    fn what_cannot_be_counted_is_more_than_any_limit() {
        let circles = "modules { lessons { course { ".repeat(7);
        let document = format!("{{ courses(first: 100) {{ nodes {{ {circles} id {} }} }} }}", "} } }".repeat(7));
        let document = parse_query(document).unwrap();
        let settings = LimitSettings { depth: 50, ..LimitSettings::default() };
        let shape = Shape::of(&document, index(), &settings).unwrap();
        let cost = shape.price(None, &Variables::default()).unwrap();
        assert!(cost > 100_u64.pow(7), "{cost}");
        let error = shape.too_expensive(None, &Variables::default(), cost, &LimitSettings::default());
        assert!(error.message.contains("`courses.nodes.modules.lessons.course.modules"), "{}", error.message);
    }

    #[test]
    fn the_query_that_tools_ask_for_the_schema_can_be_paid_for() {
        let of_type = "ofType { kind name ".repeat(9) + &"}".repeat(9);
        let document = format!(
            "query IntrospectionQuery {{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} \
             types {{ ...FullType }} directives {{ name description isRepeatable locations args {{ ...InputValue }} }} }} }}
             fragment FullType on __Type {{ kind name description specifiedByURL fields(includeDeprecated: true) {{ name description \
             args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }} \
             inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} \
             enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} possibleTypes {{ ...TypeRef }} }}
             fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason }}
             fragment TypeRef on __Type {{ kind name {of_type} }}"
        );
        let cost = cost(&document);
        assert!(cost < LimitSettings::default().cost, "{cost}");
    }
}
