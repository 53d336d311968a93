//! A document as it may stand in a log: without the texts and numbers in it, which may say things about people.

/// So much of a document is kept.
const LONGEST: usize = 2_000;

/// The document with every text as `""` and every number as `0`, without comments, on one line. What is left are names of
/// fields, arguments and values that the schema knows, and aliases and names that the client's authors chose.
///
/// It reads the tokens of the GraphQL specification and writes only what it knows, so whatever it does not is left out.
pub(super) fn redacted(document: &str) -> String {
    let mut written = String::new();
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        if written.len() > LONGEST {
            written.push('…');
            break;
        }
        let length = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => {
                put(&mut written, "\"\"");
                text(rest)
            }
            '0'..='9' | '-' => {
                put(&mut written, "0");
                let is_part = |char: char| char.is_ascii_alphanumeric() || "._+-".contains(char);
                rest.find(|char| !is_part(char)).unwrap_or(rest.len())
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let length = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(rest.len());
                put(&mut written, rest.get(..length).unwrap_or_default());
                length
            }
            '.' if rest.starts_with("...") => {
                put(&mut written, "...");
                3
            }
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                written.push(first);
                1
            }
            other => other.len_utf8(),
        };
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    written
}

/// A word, apart from the word before it.
fn put(written: &mut String, word: &str) {
    if written.ends_with(|char: char| char.is_ascii_alphanumeric() || "_\")]}!".contains(char)) {
        written.push(' ');
    }
    written.push_str(word);
}

/// How long the text is that this begins with. One that does not end takes everything with it.
fn text(rest: &str) -> usize {
    if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(at) = block.get(from..).and_then(|rest| rest.find("\"\"\"")).map(|at| from + at) {
            if block.get(..at).is_some_and(|before| before.ends_with('\\')) {
                from = at + 3;
            } else {
                return at + 6;
            }
        }
        return rest.len();
    }
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_and_what_was_written_goes() {
        let document = "query Class($id: ID!, $n: Int = 30) { # of Ms Tan\n  course(id: $id) { title(language: \"fr\")\n\
                        ...Mei @include(if: true) learners(first: -3, score: [1.5e3, 2], name: \"\"\"Mei \\\"\"\" Lin\"\"\", \
                        order: {by: NAME}) { id } } }";
        assert_eq!(
            redacted(document),
            "query Class($id:ID!$n:Int=0){course(id:$id){title(language:\"\") ...Mei@include(if:true) \
             learners(first:0 score:[0 0] name:\"\" order:{by:NAME}){id}}}"
        );
        assert_eq!(redacted("{ a(b: \"never ends } secret"), "{a(b:\"\"");
        assert_eq!(redacted("{ a(b: \"\"\"never ends } secret"), "{a(b:\"\"");
        assert!(redacted(&"a ".repeat(5_000)).len() < 2_100);
    }

    /// A text as GraphQL writes it, with `zq` in it, or a number of nines.
    fn literal() -> impl Strategy<Value = String> {
        let inside = prop::collection::vec(
            prop_oneof![
                Just("zq".to_owned()),
                Just("\\\"".to_owned()),
                Just("\\\\".to_owned()),
                Just("#".to_owned()),
                Just("}".to_owned()),
                Just("é".to_owned()),
                Just("\\u007a\\u0071".to_owned()),
                "[ -!$-9:@\\[\\]a-f{-~]{0,8}",
            ],
            0..6,
        )
        .prop_map(|parts| format!("zq{}zq", parts.concat()));
        let block = prop::collection::vec(
            prop_oneof![
                Just("zq".to_owned()),
                Just("\\\"\"\"".to_owned()),
                Just("\n#\"".to_owned()),
                Just("x".to_owned())
            ],
            0..6,
        )
        .prop_map(|parts| format!("\"\"\"zq{} zq\"\"\"", parts.concat()));
        prop_oneof![inside.prop_map(|text| format!("\"{text}\"")), block, "-?9{1,6}(\\.9{1,3})?([eE][+-]?9{1,2})?",]
    }

    proptest! {
        #[test]
        fn no_literal_is_left(literals in prop::collection::vec(literal(), 1..8), nested in any::<bool>()) {
            let arguments: String = literals.iter().map(|one| {
                if nested { format!("a: [{{b: {one}}}] # zq 9\n") } else { format!("a: {one}, ") }
            }).collect();
            let document = format!("query Q {{ f({arguments}) {{ end }} }}");
            let written = redacted(&document);
            prop_assert!(!written.contains("zq") && !written.contains('9'), "{document}\n{written}");
            prop_assert!(written.ends_with("{end}}"), "{document}\n{written}");
        }

        #[test]
        fn nothing_but_tokens_is_left_of_anything(document in any::<String>()) {
            let written = redacted(&document);
            prop_assert!(written.chars().all(|char| char == '…' || (' '..='~').contains(&char)), "{written}");
            prop_assert!(!written.contains(|char: char| ('1'..='9').contains(&char)) || document.contains(char::is_alphabetic) || document.contains('_'));
        }
    }
}
