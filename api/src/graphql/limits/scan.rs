//! A look at a document's text before it is parsed.
//!
//! The parser calls itself for each bracket, so brackets within brackets without end would take the stack, and with it the
//! process. This counts tokens and brackets in one pass, without memory of its own. It takes the text apart as the parser does;
//! where the two could differ, it refuses.

use async_graphql::{Pos, ServerError};

use super::{LimitSettings, exceeded::Exceeded};

/// How deep brackets of all kinds may nest. Not a setting: the parser itself gives up at 64 levels of fields.
pub(crate) const BRACKETS: u64 = 60;

/// Whether a text is small enough to be parsed.
pub(crate) fn scan(text: &str, settings: &LimitSettings) -> Result<(), Box<ServerError>> {
    let of = |found: u64| move || format!("the document has {found} bytes");
    let bytes = text.len() as u64;
    Exceeded::check("document_bytes", (bytes, settings.document_bytes), None, of(bytes)).map_err(refused)?;
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    let (mut tokens, mut too_many) = (0_u64, None);
    let (mut depth, mut deepest, mut too_deep) = (0_u64, 0_u64, None);
    while let Some((token, at)) = scanner.next() {
        tokens += 1;
        if tokens == settings.tokens + 1 {
            too_many = Some(at);
        }
        match token {
            Token::Opens => {
                depth += 1;
                deepest = deepest.max(depth);
                if depth > BRACKETS && too_deep.is_none() {
                    too_deep = Some(at);
                }
            }
            Token::Closes => depth = depth.saturating_sub(1),
            Token::Unfinished => return Err(Box::new(unfinished(position(text, at)))),
            Token::Other => {}
        }
    }
    let pos = too_many.map(|at| position(text, at));
    Exceeded::check("tokens", (tokens, settings.tokens), pos, || format!("the document has {tokens} tokens"))
        .map_err(refused)?;
    let pos = too_deep.map(|at| position(text, at));
    let what = || format!("brackets nest {deepest} deep");
    Exceeded::check("brackets", (deepest, BRACKETS), pos, what).map_err(refused)
}

#[expect(clippy::boxed_local, clippy::unnecessary_box_returns, reason = "an error is the rare case, and large")]
fn refused(exceeded: Box<Exceeded>) -> Box<ServerError> {
    Box::new((*exceeded).into())
}

/// A text that the parser would read as an empty one and the beginning of another, again and again.
fn unfinished(pos: Pos) -> ServerError {
    let mut error = ServerError::new("the document can't be parsed: the text that begins here has no end", Some(pos));
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_PARSE_FAILED");
    error
}

/// Line and column of a place, as the parser counts them.
fn position(text: &str, at: usize) -> Pos {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    Pos { line, column: 1 + before[line_start..].chars().count() }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Opens,
    Closes,
    /// A text without an end.
    Unfinished,
    Other,
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn starts_with(&self, start: &[u8]) -> bool {
        self.text[self.at..].starts_with(start)
    }

    fn skip_while(&mut self, of: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|byte| of(*byte)) {
            self.at += 1;
        }
    }

    /// The next token and where it begins.
    fn next(&mut self) -> Option<(Token, usize)> {
        loop {
            let byte = *self.text.get(self.at)?;
            let begins = self.at;
            self.at += 1;
            let token = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => continue,
                0xEF if self.text[begins..].starts_with(b"\xEF\xBB\xBF") => {
                    self.at += 2;
                    continue;
                }
                b'#' => {
                    self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'(' | b'[' | b'{' => Token::Opens,
                b')' | b']' | b'}' => Token::Closes,
                b'"' if self.starts_with(b"\"\"") => {
                    self.at += 2;
                    self.block_string()
                }
                b'"' => self.string(),
                b'.' if self.starts_with(b"..") => {
                    self.at += 2;
                    Token::Other
                }
                b'-' | b'0'..=b'9' => {
                    self.at = begins;
                    self.number();
                    Token::Other
                }
                byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                    self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
                    Token::Other
                }
                _ => Token::Other,
            };
            return Some((token, begins));
        }
    }

    /// Exactly one number, since the parser takes `00` for two.
    fn number(&mut self) {
        if self.starts_with(b"-") {
            self.at += 1;
        }
        if self.starts_with(b"0") {
            self.at += 1;
        } else {
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if self.starts_with(b".") && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if self.starts_with(b"e") || self.starts_with(b"E") {
            let sign = usize::from(matches!(self.text.get(self.at + 1), Some(b'+' | b'-')));
            if self.text.get(self.at + 1 + sign).is_some_and(u8::is_ascii_digit) {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
    }

    fn string(&mut self) -> Token {
        loop {
            self.skip_while(|byte| !matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Token::Other;
                }
                // Whatever is behind it is part of the text, or the parser will say that it may not be there.
                Some(b'\\') => self.at = (self.at + 2).min(self.text.len()),
                _ => return Token::Unfinished,
            }
        }
    }

    fn block_string(&mut self) -> Token {
        while self.at < self.text.len() {
            if self.starts_with(b"\"\"\"") {
                self.at += 3;
                return Token::Other;
            }
            self.at += if self.starts_with(b"\\\"\"\"") { 4 } else { 1 };
        }
        Token::Unfinished
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> usize {
        let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
        std::iter::from_fn(|| scanner.next()).count()
    }

    fn refusal(text: &str) -> String {
        let error = scan(text, &LimitSettings::default()).unwrap_err();
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).unwrap().to_string();
        format!(
            "{} {:?} {}",
            code.trim_matches('"'),
            error.locations.first().map(|pos| (pos.line, pos.column)),
            error.message
        )
    }

    #[test]
    fn tokens_are_counted_as_the_parser_reads_them() {
        for (text, count) in [
            ("", 0),
            ("{a}", 3),
            ("query Q($n: [Int!]! = [1, 2]) @d { a: b(c: -1.5e+3) ... on X { y } ...F }", 37),
            ("\u{feff}{ a # } } } \n b }", 4),
            (r#"{ a(b: "}}} \" # {") }"#, 8),
            (r#"{ a(b: """ }} " "" \""" { # """) }"#, 8),
            (r#"{ a(b: "") c(b: """""") }"#, 14),
            ("{ a(b: [00-1-1]) }", 13),
            ("{ ü }", 4),
        ] {
            assert_eq!(tokens(text), count, "{text}");
        }
    }

    #[test]
    fn brackets_that_would_take_the_stack_are_found_before_the_parser_sees_them() {
        assert_eq!(scan(&("{a".repeat(60) + &"}".repeat(60)), &LimitSettings::default()), Ok(()));
        let deep = |open: &str| format!("{{ a(b: {}", open.repeat(4_000));
        for open in ["[", "{a:", "[{a:"] {
            assert!(refusal(&deep(open)).starts_with("LIMIT_EXCEEDED Some((1,"), "{}", refusal(&deep(open)));
        }
        let found = refusal(&("\n{a".repeat(61) + &"}".repeat(61)));
        assert_eq!(found, "LIMIT_EXCEEDED Some((62, 1)) brackets nest 61 deep; the most is 60");
        // Four quotes are an unfinished text: to the parser they would be two empty ones, and then brackets.
        let hidden = format!("{{ a(b: [\"\"\"\" {}", "[".repeat(100_000));
        assert!(refusal(&hidden).starts_with("GRAPHQL_PARSE_FAILED Some((1, 9))"), "{}", refusal(&hidden));
        assert!(refusal("{ a(b: \"c\n{{{{\") }").starts_with("GRAPHQL_PARSE_FAILED"));
    }

    #[test]
    fn a_hundred_thousand_tokens_are_counted_and_refused() {
        let many = format!("{{ {}}}", "a ".repeat(100_000));
        assert_eq!(refusal(&many), "LIMIT_EXCEEDED Some((1, 20001)) the document has 100002 tokens; the most is 10000");
        let long = format!("{{ a }} #{}", "x".repeat(300_000));
        assert!(refusal(&long).starts_with("LIMIT_EXCEEDED None the document has 300007 bytes"));
    }
}
