//! The policy as a document: `docs/AUTHORIZATION.md` is generated from the table, so it can't say anything else.

use super::{CLOSER, Category, FIELDS, Reason, Relation, audience, case_categories, is_logged, may_see};

const INTRODUCTION: &str = "\
# Who may see what

Generated from the policy's table (`api/src/access/table.rs`) by `stoa authorization`; a test compares it. Don't edit it.

Every value about a person has a **category**. Whoever looks stands in **relations** to that person, several at once perhaps.
The table says which relation sees which category; nothing else decides. A field that a viewer may not see is `null`, its
neighbours are there, and `extensions.redactions` names the field once, with the reason, what would be needed, and the number of
places. With the header `Stoa-Denied-Fields: errors` each place is an error with the code `FIELD_FORBIDDEN` instead.

`access(learner:, course:)` answers for you and a learner, field by field. With the header `Stoa-Seen-As: STAFF <course id>` (or
`CLASSMATE <course id>`) a learner's query is answered as the staff or the classmates of that course would see **her**: nobody acts as
anybody, and she never sees more that way.
";

const TIME: &str = "\
## What time changes

- Who has **left** a course is `FORMER_STAFF` to its staff for `policy.keep_days` (365 unless configured); afterwards her record there is
  not for them any more, and she is not in the class. Who has **completed** a course stays for as long after that.
- A **case** opens the categories it names, from its approval to its end, and ends by itself. Every look under it carries its id.
- A **role** that is taken away, a membership that ends or a case that is closed counts from the next request on, and within one from
  the next read after a write. A session or token that is revoked counts from the next request on.

## What a request comes with

A browser's session may be used for everything. A token is made for scopes: `READ`, `WRITE`, `PEOPLE` (to see others as staff,
support or administrator does), `ACCOUNT`. Without `PEOPLE` its holder is to others what a learner is. Roles named in
`policy.two_factor_for` count only in a session that showed a second factor, and in tokens made in one.
";

/// The whole document, in Markdown.
pub fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    text += "\n## Relations\n\n| relation | who that is |\n|---|---|\n";
    for relation in Relation::ALL {
        text += &format!("| `{}` | {} |\n", relation.as_str(), relation.description().trim());
    }
    text += "\nA relation is to the person as a whole, or to the person in one course. What is of one course is shown by what the\nviewer is to her *there*.\n";
    text += "\n## Categories\n\n| category | what it is | of |\n|---|---|---|\n";
    for category in Category::ALL {
        let of = if category.is_of_a_course() { "a course" } else { "the person" };
        text += &format!("| `{}` | {} | {of} |\n", category.as_str(), category.description().trim());
    }
    text += "\nCategories without a field below are for what is to come: the rule stands before the field.\n";

    text += "\n## The table\n\n";
    text += &heading("category");
    for category in Category::ALL {
        text += &row(&format!("`{}`", category.as_str()), *category);
    }
    let cases: Vec<_> = case_categories().map(|category| format!("`{}`", category.as_str())).collect();
    text += &format!("\n`CASE_HOLDER` sees what the case names, of: {}.\n", cases.join(", "));

    text += "\n## Fields\n\n";
    text += &heading("field");
    let mut fields = FIELDS.to_vec();
    fields.sort_by_key(|(type_name, name, _)| (*type_name, *name));
    for (type_name, name, category) in fields {
        text += &row(&format!("`{type_name}.{name}`"), category);
    }

    text += "\nSome fields show less of some things:\n\n| field | of what | category |\n|---|---|---|\n";
    for (type_name, name, category, when) in CLOSER {
        text += &format!("| `{type_name}.{name}` | {when} | `{}` |\n", category.as_str());
    }
    text += "\nThe author of what is not anonymous shows to whoever may read it.\n";

    text += "\n## What leaves a row in the access log\n\n| relation | categories |\n|---|---|\n";
    for relation in Relation::ALL {
        let logged: Vec<_> = Category::ALL
            .iter()
            .filter(|category| may_see(*relation, **category) && is_logged(*relation, **category))
            .map(|category| format!("`{}`", category.as_str()))
            .collect();
        if !logged.is_empty() {
            text += &format!("| `{}` | {} |\n", relation.as_str(), logged.join(", "));
        }
    }
    text += "\nNot logged: what somebody sees of herself; sums; what was written to a forum for its readers; and the names that classmates\nsee of each other, and everybody of those who teach. Rows of that kind would tell a learner what her classmates read, and when.\n";

    text += "\n## Reasons\n\n| reason | when |\n|---|---|\n";
    for reason in Reason::ALL {
        text += &format!("| `{}` | {} |\n", reason.as_str(), reason.description().trim());
    }
    format!("{text}\n{TIME}")
}

fn heading(what: &str) -> String {
    let names: Vec<_> =
        Relation::ALL.iter().map(|relation| relation.as_str().replace('_', " ").to_lowercase()).collect();
    format!("| {what} | {} |\n|---|{}\n", names.join(" | "), ":-:|".repeat(names.len()))
}

fn row(name: &str, category: Category) -> String {
    let seen_by = audience(category);
    let cells: Vec<_> =
        Relation::ALL.iter().map(|relation| if seen_by.contains(relation) { "✓" } else { "" }).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}
