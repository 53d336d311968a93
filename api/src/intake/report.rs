//! What became of each file.

use std::fmt;

use super::records::BadRow;

/// So many bad rows of a file are told one by one.
const MOST_TOLD: usize = 100;

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// How many rows were read.
    pub read: u64,
    /// The first of the rows that can't be taken.
    pub bad_rows: Vec<BadRow>,
    /// How many rows can't be taken. If there are any, nothing of the file was.
    pub bad: u64,
}

impl FileReport {
    pub(super) fn new(file: String) -> Self {
        Self { file, read: 0, bad_rows: Vec::new(), bad: 0 }
    }

    pub(super) fn refuse(&mut self, row: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < MOST_TOLD {
            self.bad_rows.push(row);
        }
    }

    /// Whether the file was taken.
    pub fn taken(&self) -> bool {
        self.bad == 0
    }
}

/// What became of all files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The files that were read, in order. Reading ends with a file that was not taken, since the next
    /// ones refer to it.
    pub files: Vec<FileReport>,
    /// The files that were not read because of that.
    pub left: Vec<String>,
}

impl Report {
    /// Whether everything was taken.
    pub fn complete(&self) -> bool {
        self.left.is_empty() && self.files.iter().all(FileReport::taken)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            if file.taken() {
                writeln!(f, "{}: {} rows taken", file.file, file.read)?;
                continue;
            }
            writeln!(f, "{}: nothing taken, {} of {} rows are bad", file.file, file.bad, file.read)?;
            for row in &file.bad_rows {
                let column = if row.column.is_empty() { String::new() } else { format!(", column {}", row.column) };
                writeln!(f, "  {}, line {}{column}: {}", file.file, row.line, row.reason)?;
            }
            let untold = file.bad - file.bad_rows.len() as u64;
            if untold > 0 {
                writeln!(f, "  … and {untold} more")?;
            }
        }
        for file in &self.left {
            writeln!(f, "{file}: not read, since it refers to what was not taken")?;
        }
        Ok(())
    }
}
