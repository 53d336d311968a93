//! Who is mentioned in a text: `@[Mei Tanaka](person:UFA…)`, a link in Markdown to a person's global id, after an `@`.
//!
//! Names need not be unique that way, and the text shows what its writer typed. The editor has the ids from
//! `Forum.mentionable`. A renderer that knows nothing of it shows the name, without a link.

use pulldown_cmark::{Event, Parser, Tag};

use crate::{graphql::global_id, ids::AccountId};

/// So many people one post can call; further ones are not looked at.
pub(super) const MOST: usize = 20;
const SCHEME: &str = "person:";

/// The people who are mentioned, in the order of the text, at most [`MOST`]. Not in code, which is shown as it is.
pub(super) fn mentioned(markdown: &str) -> Vec<AccountId> {
    let mut people = Vec::new();
    let mut is_called = false;
    for event in Parser::new(markdown) {
        if let (true, Event::Start(Tag::Link { dest_url, .. })) = (is_called, &event)
            && let Some(person) = dest_url.strip_prefix(SCHEME).and_then(global_id::read_person)
            && !people.contains(&person)
            && people.len() < MOST
        {
            people.push(person);
        }
        is_called = matches!(&event, Event::Text(text) if text.ends_with('@'));
    }
    people
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn people_are_found_by_their_ids_and_not_in_code() {
        let person = |number| AccountId(Uuid::from_u128(number));
        let id = |number| global_id::person(person(number));
        let (one, two) = (id(1), id(2));
        for (text, found) in [
            (format!("@[Mei](person:{one}), and you, @[Omar Said](person:{two})?"), vec![person(1), person(2)]),
            (format!("> *hello* @[Mei](person:{one}) @[Mei](person:{one})"), vec![person(1)]),
            (format!("[Mei](person:{one}) without the sign"), vec![]),
            (format!("`@[Mei](person:{one})`"), vec![]),
            (format!("```\n@[Mei](person:{one})\n```"), vec![]),
            (format!("    @[Mei](person:{one})"), vec![]),
            (format!("@[Mei](https://school.example/{one})"), vec![]),
            (format!("@ [Mei](person:{one})"), vec![]),
            ("@[Mei](person:nobody)".to_owned(), vec![]),
            (format!("@[a course](person:{})", global_id::course(Uuid::from_u128(1).into())), vec![]),
        ] {
            assert_eq!(mentioned(&text), found, "{text}");
        }
        let many: Vec<_> = (0..100).map(|number| format!("@[x](person:{})", id(number))).collect();
        assert_eq!(mentioned(&many.join(" ")).len(), MOST);
    }
}
