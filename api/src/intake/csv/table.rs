//! Reads a CSV file (RFC 4180) row by row, by column name.
//!
//! Not the `csv` crate: it takes a quote that is never closed for a value that goes on to the end of the
//! file (all of it in memory, and without an error), drops what follows a closing quote, and counts lines
//! by where its own reading stopped. Whoever mends a file of a million lines needs the line, and wants
//! one lost quote to cost one row.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::intake::records::{BadRow, Row, SourceError};

/// The longest row, in bytes; a post of 50,000 characters fits several times.
const LONGEST_ROW: usize = 1 << 20;

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 16;

/// The columns of a file. Others are ignored.
pub(in crate::intake) struct Columns {
    /// Those that must be there.
    pub(in crate::intake) required: &'static [&'static str],
    /// Those that may be there.
    pub(in crate::intake) optional: &'static [&'static str],
}

/// A file whose first line has been read.
pub(in crate::intake) struct Table<R = File> {
    rows: Splitter<R>,
    /// Where each known column stands.
    places: Vec<(&'static str, usize)>,
    /// How many columns the first line names.
    width: usize,
}

impl Table<File> {
    /// Opens a file; `None` if there is none of this name.
    pub(in crate::intake) fn open(path: &Path, columns: &Columns) -> Result<Option<Self>, SourceError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let unreadable = |cause| SourceError::Unreadable { file: path.display().to_string(), cause };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(cause)),
        };
        Self::of(file, &name, columns).map(Some)
    }
}

impl<R: Read> Table<R> {
    /// Reads the first line of what is called `name`.
    pub(in crate::intake) fn of(source: R, name: &str, columns: &Columns) -> Result<Self, SourceError> {
        let unreadable = |cause| SourceError::Unreadable { file: name.to_owned(), cause };
        let mut rows = Splitter::new(source);
        let mut first = Fields::default();
        let header: Vec<String> = match rows.next(&mut first) {
            Some(Ok(_)) => {
                first.iter().map(|field| String::from_utf8_lossy(field).trim().to_ascii_lowercase()).collect()
            }
            Some(Err((_, Flaw::Io(cause)))) => return Err(unreadable(cause)),
            // An empty or broken first line names no column.
            Some(Err(_)) | None => Vec::new(),
        };
        let place = |column: &'static str| header.iter().position(|name| name == column).map(|place| (column, place));
        let mut places = Vec::new();
        for &column in columns.required {
            places.push(place(column).ok_or_else(|| SourceError::MissingColumn {
                file: name.to_owned(),
                column: column.to_owned(),
                wanted: columns.required.join(", "),
            })?);
        }
        places.extend(columns.optional.iter().filter_map(|&column| place(column)));
        Ok(Self { rows, places, width: header.len() })
    }

    /// The rows of the file, each made into a record by `read`.
    pub(in crate::intake) fn records<T, F: FnMut(&Cells) -> Result<T, BadRow>>(
        mut self,
        mut read: F,
    ) -> impl Iterator<Item = Result<Row<T>, BadRow>> + use<T, F, R> {
        let mut fields = Fields::default();
        let mut over = false;
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let line = match self.rows.next(&mut fields)? {
                Ok(line) => line,
                Err((line, flaw)) => {
                    // A file that can't be read on would fail again for ever.
                    over = matches!(flaw, Flaw::Io(_));
                    return Some(Err(BadRow::new(line, "", flaw.to_string())));
                }
            };
            if fields.len() != self.width {
                let reason = format!("has {} values where the first line names {} columns", fields.len(), self.width);
                return Some(Err(BadRow::new(line, "", reason)));
            }
            let cells = Cells { line, places: &self.places, fields: &fields };
            Some(read(&cells).map(|record| Row { line, record }))
        })
    }
}

/// The values of a row.
pub(in crate::intake) struct Cells<'a> {
    line: u64,
    places: &'a [(&'static str, usize)],
    fields: &'a Fields,
}

impl Cells<'_> {
    /// Something wrong with a column's value.
    pub(in crate::intake) fn bad(&self, column: &'static str, reason: impl Into<String>) -> BadRow {
        BadRow::new(self.line, column, reason)
    }

    /// A value without the white space around it; `None` if it is empty, or the file has no such column.
    pub(in crate::intake) fn optional(&self, column: &'static str) -> Result<Option<&str>, BadRow> {
        let Some((_, place)) = self.places.iter().find(|(name, _)| *name == column) else { return Ok(None) };
        let text = std::str::from_utf8(self.fields.get(*place))
            .map_err(|_| self.bad(column, "is not UTF-8: save the file in that encoding"))?;
        if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(self.bad(column, format!("contains the control character {control:?}")));
        }
        Ok(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    /// A value that must be there.
    pub(in crate::intake) fn required(&self, column: &'static str) -> Result<&str, BadRow> {
        self.optional(column)?.ok_or_else(|| self.bad(column, "is empty"))
    }
}

/// The values of a row, one after the other.
#[derive(Default)]
struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// A value; empty beyond the last.
    fn get(&self, place: usize) -> &[u8] {
        let start = if place == 0 { Some(&0) } else { self.ends.get(place - 1) };
        match (start, self.ends.get(place)) {
            (Some(&start), Some(&end)) => &self.bytes[start..end],
            _ => &[],
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|place| self.get(place))
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Whether the row was an empty line.
    fn is_blank(&self) -> bool {
        self.ends.len() == 1 && self.bytes.is_empty()
    }
}

/// Why a row can't be split into values.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("a quote (\") is opened and not closed: close it, and double each quote inside a value")]
    Unclosed,
    #[error("something follows a closing quote (\"): double each quote inside a value")]
    AfterQuote,
    #[error("is longer than {LONGEST_ROW} bytes: is a quote (\") not closed?")]
    TooLong,
    #[error("the file can't be read on: {0}")]
    Io(io::Error),
}

#[derive(Clone, Copy)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

/// Splits bytes into rows, and rows into values.
struct Splitter<R> {
    source: R,
    /// What was read and not yet given out, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    /// The line on which the next row begins, from 1.
    line: u64,
}

impl<R: Read> Splitter<R> {
    fn new(source: R) -> Self {
        Self { source, buffer: Vec::with_capacity(CHUNK), start: 0, ended: false, line: 1 }
    }

    /// The next row that is no empty line, and its line. After a flaw, reading goes on with the line
    /// after the one on which the row began.
    fn next(&mut self, fields: &mut Fields) -> Option<Result<u64, (u64, Flaw)>> {
        loop {
            let line = self.line;
            match self.split(fields) {
                Ok(false) => return None,
                Ok(true) if fields.is_blank() => {}
                Ok(true) => return Some(Ok(line)),
                Err(Flaw::Io(cause)) => return Some(Err((line, Flaw::Io(cause)))),
                Err(flaw) => {
                    return match self.skip_line() {
                        Ok(()) => Some(Err((line, flaw))),
                        Err(cause) => Some(Err((line, Flaw::Io(cause)))),
                    };
                }
            }
        }
    }

    /// Splits the next row, and steps behind it unless it has a flaw; `false` at the end of the file.
    fn split(&mut self, fields: &mut Fields) -> Result<bool, Flaw> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        fields.clear();
        let mut state = State::FieldStart;
        let mut newlines = 0;
        let mut at = 0; // behind `start`, since `fill` moves what the buffer holds
        if self.line == 1 {
            while self.buffer.len() < BYTE_ORDER_MARK.len() && self.fill().map_err(Flaw::Io)? {}
            if self.buffer[self.start..].starts_with(BYTE_ORDER_MARK) {
                self.start += BYTE_ORDER_MARK.len();
            }
        }
        loop {
            let Some(&byte) = self.buffer.get(self.start + at) else {
                if self.fill().map_err(Flaw::Io)? {
                    continue;
                }
                if matches!(state, State::Quoted) {
                    return Err(Flaw::Unclosed);
                }
                if at == 0 {
                    return Ok(false);
                }
                break;
            };
            at += 1;
            if at > LONGEST_ROW {
                return Err(Flaw::TooLong);
            }
            newlines += u64::from(byte == b'\n');
            state = match (state, byte) {
                (State::FieldStart, b'"') => State::Quoted,
                // A carriage return may end the line.
                (State::Quoted, b'"') | (State::QuoteInQuoted, b'\r') => State::QuoteInQuoted,
                (State::QuoteInQuoted, b'"') | (State::Quoted, _) => {
                    fields.bytes.push(byte);
                    State::Quoted
                }
                (_, b',') => {
                    fields.end_field();
                    State::FieldStart
                }
                (_, b'\n') => break,
                (State::QuoteInQuoted, _) => return Err(Flaw::AfterQuote),
                (State::FieldStart | State::Plain, _) => {
                    fields.bytes.push(byte);
                    State::Plain
                }
            };
        }
        if matches!(state, State::Plain) && fields.bytes.last() == Some(&b'\r') {
            fields.bytes.pop();
        }
        fields.end_field();
        self.start += at;
        self.line += newlines;
        Ok(true)
    }

    /// Steps behind the next line feed.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = self.buffer[self.start..].iter().position(|byte| *byte == b'\n') {
                self.start += at + 1;
                self.line += 1;
                return Ok(());
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Reads some more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[held..]) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(!self.ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, and the values of its row or what is wrong with it.
    type Found = (u64, Result<Vec<String>, String>);

    fn split(text: &[u8]) -> Vec<Found> {
        let mut rows = Splitter::new(text);
        let mut fields = Fields::default();
        let mut found = Vec::new();
        while let Some(row) = rows.next(&mut fields) {
            found.push(match row {
                Ok(line) => {
                    (line, Ok(fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()))
                }
                Err((line, flaw)) => (line, Err(flaw.to_string())),
            });
        }
        found
    }

    fn row(line: u64, fields: &[&str]) -> Found {
        (line, Ok(fields.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn rows_carry_the_line_they_begin_on_whatever_ends_the_lines() {
        let unix = "\u{feff}a,b\n\n1,\"two\nlines, \"\"quoted\"\"\"\n3,\n";
        let expected = [row(1, &["a", "b"]), row(3, &["1", "two\nlines, \"quoted\""]), row(5, &["3", ""])];
        assert_eq!(split(unix.as_bytes()), expected);

        let windows = split(unix.replace('\n', "\r\n").trim_end().as_bytes());
        assert_eq!(windows[1], row(3, &["1", "two\r\nlines, \"quoted\""]));
        assert_eq!(windows[2], row(5, &["3", ""]));
    }

    #[test]
    fn a_lost_quote_costs_one_row() {
        let found = split(b"a,b\n1,\"x\n2,\"y\"\n3,\"z\n4,w\n");
        assert_eq!(found[0], row(1, &["a", "b"]));
        assert_eq!(found[1], (2, Err(Flaw::AfterQuote.to_string())));
        assert_eq!(found[2], row(3, &["2", "y"]));
        assert_eq!(found[3], (4, Err(Flaw::Unclosed.to_string())));
        assert_eq!(found[4], row(5, &["4", "w"]));
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn a_row_without_end_is_given_up_before_memory_is() {
        let mut text = b"a\n".to_vec();
        text.resize(3 * LONGEST_ROW, b'x');
        text.extend(b"\nb");
        let found = split(&text);
        assert_eq!(found, [row(1, &["a"]), (2, Err(Flaw::TooLong.to_string())), row(3, &["b"])]);
    }
}
