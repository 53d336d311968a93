//! The report as a page.
/// stub
#[must_use]
pub fn page(_: &[super::Report]) -> String {
    String::new()
}
