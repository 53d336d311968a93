//! Values about people, which only the policy opens.

use std::{fmt, marker::PhantomData};

use super::Category;

/// The category of a [`Personal`] value, as a type.
pub trait Tag: Send + Sync + 'static {
    /// The category.
    const CATEGORY: Category;
}

/// One type for each [`Category`].
pub mod tags {
    use super::{Category, Tag};

    macro_rules! tags {
        ($($name:ident),+) => {$(
            #[doc = concat!("[`Category::", stringify!($name), "`].")]
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Tag for $name {
                const CATEGORY: Category = Category::$name;
            }
        )+};
    }

    tags!(Identity, Contact, Profile, LearningRecord, Communication, Recommendation);
}

/// A value about a person.
///
/// It can't be serialised or returned by a resolver, and `Debug` does not print it. It goes in
/// anywhere and comes out with a [`Permit`] only.
pub struct Personal<C, T> {
    value: T,
    category: PhantomData<fn() -> C>,
}

impl<C: Tag, T> Personal<C, T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self { value, category: PhantomData }
    }

    /// Opens it, for whoever has been permitted to see its category.
    pub const fn open(&self, _permit: Permit<C>) -> &T {
        &self.value
    }
}

impl<C: Tag, T> From<T> for Personal<C, T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<C, T: Clone> Clone for Personal<C, T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), category: PhantomData }
    }
}

impl<C: Tag, T> fmt::Debug for Personal<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", C::CATEGORY.as_str())
    }
}

/// Proof that the policy was asked. Only [`super::permit`] makes one.
#[derive(Debug)]
pub struct Permit<C>(PhantomData<fn() -> C>);

impl<C> Permit<C> {
    pub(super) const fn granted() -> Self {
        Self(PhantomData)
    }
}

impl<C> Clone for Permit<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Permit<C> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_value_does_not_show_in_a_log() {
        let email: Personal<tags::Contact, &str> = Personal::new("ada@example.org");
        assert_eq!(format!("{email:?}"), "<CONTACT>");
    }
}
