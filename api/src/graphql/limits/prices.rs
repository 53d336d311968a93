//! The price list: the one place where it says what a field costs and how long a list is taken to be.
//!
//! A field costs 1 each time it is resolved, unless it stands here. A list costs 1 more for each of its things, and what is
//! selected of each thing counts as often. The list is printed in the schema (`@cost`, `@listSize`), in
//! docs/LIMITS.md, and used to price documents ([`super::shape`]).

use async_graphql::{
    TypeDirective,
    registry::{MetaDirectiveInvocation, MetaField, MetaType, Registry},
};

/// What a field costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// What it costs each time it is resolved, without what is selected of it.
    pub(crate) weight: u64,
    pub(crate) size: Size,
}

/// How many things a field leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// One, or a value.
    One,
    /// A list without arguments is taken to be so long.
    Assumed(u64),
    /// A list that is as long as one of these arguments says, or as an argument that is a list is itself.
    Asked(&'static [&'static str]),
    /// A page: as [`Size::Asked`], but what is repeated are the fields of the connection that are [`Size::OfPage`].
    Page,
    /// The things of the page around it.
    OfPage,
}

/// What a field costs that is not here.
pub(crate) const COMMON: u64 = 1;
/// What a mutation costs that is not here: it is a transaction, and a line in the log.
pub(crate) const MUTATION: u64 = 10;
/// The arguments that say how long a page is.
pub(crate) const PAGE_ARGUMENTS: &[&str] = &["first", "last"];
/// The longest page of any list: who asks for a longer one gets an error, and nothing that would cost.
pub(crate) const LONGEST_PAGE: u64 = 300;
/// How long a list of values or of errors is does not matter much.
const SHORT: u64 = 2;

/// Fields that cost more than [`COMMON`]: type, field, price.
pub(crate) const WEIGHTS: &[(&str, &str, u64)] = &[
    // Searching looks at many rows to show few.
    ("Query", "searchForums", 50),
    ("Forum", "search", 50),
    ("Forum", "mentionable", 20),
    ("Forum", "unanswered", 20),
    ("Forum", "stuck", 20),
    ("Forum", "unreadThreads", 20),
    ("Query", "courses", 5),
    // Sums over many people.
    ("Course", "statistics", 20),
    ("Person", "timePerTopic", 10),
    // Ranking all courses for one learner.
    ("Person", "recommendations", 50),
    ("Person", "nextCourses", 50),
    ("Person", "whyNot", 50),
    // Markdown becomes HTML when it is asked for.
    ("Post", "bodyHtml", 3),
    ("Message", "bodyHtml", 3),
    ("Announcement", "bodyHtml", 3),
    ("LessonContent", "html", 5),
    ("LessonContent", "transcriptHtml", 5),
    // Each entry is held against the viewer's right to see it.
    ("Person", "accessLog", 10),
    ("Query", "access", 10),
    // Passwords are hashed slowly on purpose.
    ("Mutation", "signUp", 200),
    ("Mutation", "signIn", 200),
    ("Mutation", "changePassword", 200),
    ("Mutation", "resetPassword", 200),
    // A course's numbers are counted anew for everybody who takes it.
    ("Mutation", "publishCourse", 100),
    ("Mutation", "publishModule", 100),
    ("Mutation", "publishLesson", 100),
    ("Mutation", "retireModule", 100),
    ("Mutation", "retireLesson", 100),
    ("Mutation", "recordActivities", 50),
    ("Mutation", "mergeThreads", 50),
];

/// How long lists without arguments are taken to be: type, field, things. Above the middle, and below the longest.
pub(crate) const SIZES: &[(&str, &str, u64)] = &[
    ("Account", "sessions", 5),
    ("Account", "tokens", 5),
    ("Conversation", "participants", 4),
    ("Course", "modules", 10),
    ("Course", "plannedAnnouncements", 5),
    ("Course", "prerequisites", 3),
    ("Course", "staff", 5),
    ("Course", "topics", 5),
    ("Enrolment", "changedBecause", 5),
    ("Enrolment", "history", 5),
    ("Enrolment", "markedActivity", 5),
    ("Enrolment", "modules", 10),
    ("Forum", "categories", 10),
    ("Forum", "mentionable", 10),
    ("Forum", "pinned", 5),
    ("ForumCategory", "pinned", 5),
    ("ForumHit", "snippet", 5),
    ("Lesson", "versions", 5),
    ("Module", "lessons", 10),
    ("Module", "prerequisites", 3),
    ("ModuleProgress", "lessons", 10),
    ("NotificationPreferences", "kinds", 10),
    ("NotificationPreferences", "mutes", 5),
    ("Person", "consents", 2),
    ("Person", "goals", 5),
    ("Person", "teaches", 5),
    ("Person", "timePerTopic", 20),
    ("Query", "access", 200),
    ("Query", "myStaffInvitations", 3),
    ("Query", "topics", 30),
    ("Recommendation", "path", 3),
    ("Recommendation", "reasons", 3),
    ("RecommendationReason", "courses", 3),
    ("RecommendationReason", "topics", 3),
    ("RecordActivitiesPayload", "enrolments", 5),
    ("RecordActivitiesPayload", "results", 50),
    ("ReorderForumCategoriesPayload", "categories", 10),
    ("Report", "reasons", 5),
    ("Report", "reports", 5),
    ("Thread", "formerTitles", 2),
    ("WhyNot", "missing", 3),
    ("WhyNot", "reasons", 3),
    // Counting costs next to nothing.
    ("CostExplanation", "fields", 0),
    ("CostExplanation", "limitsHit", 0),
    // The schema itself. The averages over its types, rounded up.
    ("__Schema", "types", 600),
    ("__Schema", "directives", 8),
    ("__Type", "fields", 4),
    ("__Type", "interfaces", 1),
    ("__Type", "possibleTypes", 1),
    ("__Type", "enumValues", 2),
    ("__Type", "inputFields", 1),
    ("__Field", "args", 1),
    ("__Directive", "args", 2),
];

/// Lists that are as long as an argument says, or is: type, field, argument.
pub(crate) const ASKED: &[(&str, &str, &[&str])] =
    &[("Query", "nodes", &["ids"]), ("Person", "recommendations", &["first"])];

/// Things whose list, a field below, is as long as an argument says: type, field, argument.
pub(crate) const NEXT_COURSES: (&str, &str) = ("NextCourses", "items");

fn find<T: Copy>(table: &[(&str, &str, T)], ty: &str, field: &str) -> Option<T> {
    table.iter().find(|(of, name, _)| *of == ty && *name == field).map(|(.., value)| *value)
}

/// What a field of a type costs.
pub(crate) fn price(registry: &Registry, ty: &str, field: &MetaField) -> Price {
    let named = field.ty.trim_matches(['[', ']', '!']);
    let size = if ty.ends_with("Connection") && matches!(field.name.as_str(), "nodes" | "edges")
        || (ty, field.name.as_str()) == NEXT_COURSES
    {
        Size::OfPage
    } else if let Some(arguments) = find(ASKED, ty, &field.name) {
        Size::Asked(arguments)
    } else if named.ends_with("Connection") || named == NEXT_COURSES.0 {
        Size::Page
    } else if !field.ty.starts_with('[') {
        Size::One
    } else if matches!(
        registry.types.get(named),
        Some(MetaType::Object { .. } | MetaType::Interface { .. } | MetaType::Union { .. })
    ) {
        Size::Assumed(find(SIZES, ty, &field.name).unwrap_or(SHORT))
    } else {
        Size::One
    };
    let common = match size {
        // Its things are counted, each.
        Size::OfPage => 0,
        _ if Some(ty) == registry.mutation_type.as_deref() => MUTATION,
        _ => COMMON,
    };
    Price { weight: find(WEIGHTS, ty, &field.name).unwrap_or(common), size }
}

/// What the field costs each time it is resolved, without what is selected of it. Fields without this directive cost 1, and
/// each thing of a list 1 more; see docs/LIMITS.md.
#[TypeDirective(name = "cost", location = "FieldDefinition")]
fn cost(#[graphql(desc = "The price, a whole number.")] weight: String) {}

/// How long the list is taken to be when a document is priced: as long as one of the arguments says, or, without any, as
/// assumed. With `sizedFields` it is those fields of the page whose things are counted.
#[TypeDirective(name = "listSize", location = "FieldDefinition")]
fn list_size(
    #[graphql(desc = "How long it is taken to be.")] assumed_size: Option<i32>,
    #[graphql(desc = "The arguments that say how long it is, or are as long as it is.")] slicing_arguments: Option<
        Vec<String>,
    >,
    #[graphql(desc = "The fields of the page that are so long.")] sized_fields: Option<Vec<String>>,
    #[graphql(desc = "Whether just one of these arguments must be given.")] require_one_slicing_argument: Option<bool>,
) {
}

/// Writes the prices into the schema.
pub(crate) fn print(registry: &mut Registry) {
    async_graphql::TypeDirective::register(&cost, registry);
    async_graphql::TypeDirective::register(&list_size, registry);
    let mut prices = Vec::new();
    for (ty, meta) in &registry.types {
        if let MetaType::Object { fields, .. } = meta
            && !ty.starts_with("__")
        {
            for field in fields.values().filter(|field| !field.name.starts_with("__")) {
                prices.push((ty.clone(), field.name.clone(), price(registry, ty, field)));
            }
        }
    }
    for (ty, name, price) in prices {
        if let Some(MetaType::Object { fields, .. }) = registry.types.get_mut(&ty)
            && let Some(field) = fields.get_mut(&name)
        {
            field.directive_invocations.extend(printed(price, field));
        }
    }
}

fn printed(price: Price, field: &MetaField) -> Vec<MetaDirectiveInvocation> {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let mut printed = Vec::new();
    if price.weight > COMMON {
        printed.push(cost::apply(price.weight.to_string()));
    }
    match price.size {
        Size::One | Size::OfPage => {}
        // The errors of every payload: a hundred lines that say nothing.
        Size::Assumed(_) if field.name == "userErrors" => {}
        Size::Assumed(size) => printed.push(list_size::apply(Some(size as i32), None, None, None)),
        Size::Asked(arguments) => printed.push(list_size::apply(None, names(arguments), None, Some(false))),
        Size::Page => {
            let arguments: Vec<_> =
                PAGE_ARGUMENTS.iter().copied().filter(|name| field.args.contains_key(*name)).collect();
            let sized =
                if field.ty.contains("Connection") { names(&["nodes", "edges"]) } else { names(&[NEXT_COURSES.1]) };
            printed.push(list_size::apply(None, names(&arguments), sized, Some(arguments.len() > 1)));
        }
    }
    printed
}

/// The price list as docs/LIMITS.md has it.
pub fn table() -> String {
    let mut text = "| field | costs | because of its size |\n|---|---|---|\n".to_owned();
    let mut rows = std::collections::BTreeMap::<String, (Option<u64>, String)>::new();
    for (ty, field, weight) in WEIGHTS {
        rows.entry(format!("{ty}.{field}")).or_default().0 = Some(*weight);
    }
    for (ty, field, size) in SIZES.iter().filter(|(ty, ..)| !ty.starts_with("__")) {
        rows.entry(format!("{ty}.{field}")).or_default().1 = format!("taken for {size} long");
    }
    for (ty, field, arguments) in ASKED {
        rows.entry(format!("{ty}.{field}")).or_default().1 = format!("as long as `{}`", arguments.join("` or `"));
    }
    for (name, (weight, size)) in rows {
        let common = if name.starts_with("Mutation.") { MUTATION } else { COMMON };
        text += &format!("| `{name}` | {} | {size} |\n", weight.unwrap_or(common));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::index::index;

    #[test]
    fn what_has_a_price_is_in_the_schema() {
        let names = WEIGHTS.iter().map(|(ty, field, _)| (ty, field));
        let names = names.chain(SIZES.iter().map(|(ty, field, _)| (ty, field)));
        let names = names.chain(ASKED.iter().map(|(ty, field, _)| (ty, field)));
        for (ty, field) in names {
            let found = index().get(ty).and_then(|found| found.field(field));
            assert!(found.is_some(), "there is no {ty}.{field}");
        }
    }

    #[test]
    fn every_list_of_things_without_pages_has_a_size_of_its_own() {
        let mut without = Vec::new();
        for ty in index().types() {
            for (name, field) in ty.fields() {
                let known = find(SIZES, &ty.name, name).is_some() || name == "userErrors";
                if matches!(field.price.size, Size::Assumed(_)) && !known {
                    without.push(format!("{}.{name}", ty.name));
                }
            }
        }
        without.sort();
        assert!(without.is_empty(), "give them a line in SIZES: {without:?}");
    }
}
