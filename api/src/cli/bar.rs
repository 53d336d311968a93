//! Progress on long work, drawn where a person looks: on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error that shows nothing unless that is a terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    stage: String,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:40} {human_pos}/{human_len} {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, stage: String::new() }
    }

    /// Shows that `done` of `total` (0 if nobody knows) of a stage is done.
    pub(super) fn show(&mut self, stage: &str, done: u64, total: u64) {
        if self.stage != stage {
            stage.clone_into(&mut self.stage);
            self.bar.set_message(self.stage.clone());
            self.bar.reset_elapsed();
        }
        self.bar.set_length(total.max(done));
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
