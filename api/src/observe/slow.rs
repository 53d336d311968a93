//! The log of what was slow.

use std::{fmt::Write as _, time::Duration};

use sha2::{Digest as _, Sha256};

use super::{Operation, names::is_plain, redact::redacted, watch::Watch};

impl Watch {
    /// Writes a line if an operation was slow. The document stands in it by its hash, which is that of a trusted
    /// document, and without texts and numbers; variables never do.
    pub(crate) fn log_if_slow(&self, operation: &Operation<'_>, document: &str, time: Duration) {
        let settings = self.observe.settings();
        if settings.slow_millis == 0 || time < Duration::from_millis(settings.slow_millis) {
            return;
        }
        self.observe.slow();
        let named = |name: Option<&str>| name.filter(|name| is_plain(name)).map(ToOwned::to_owned);
        let hash = Sha256::digest(document).iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        tracing::warn!(
            operation = named(operation.name),
            kind = operation.kind,
            transport = operation.transport.as_str(),
            caller = named(operation.caller),
            micros = time.as_micros() as u64,
            statements = self.statements(),
            statements_micros = self.time_of_statements().as_micros() as u64,
            slowest = self.slowest(),
            batches = self.batches(),
            hash,
            document = settings.slow_documents.then(|| redacted(document)),
            "slow operation"
        );
    }
}
