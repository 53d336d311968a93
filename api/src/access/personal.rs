//! Values about people, which only the policy opens.

use std::{fmt, marker::PhantomData};

use super::{Anywhere, Category, InCourse, Place};

/// The category of a [`Personal`] value, as a type.
pub trait Tag: Send + Sync + 'static {
    /// The category.
    const CATEGORY: Category;
    /// Whether its values are of one course, or of the person as a whole.
    type Place: Place;
}

/// One type for each [`Category`].
pub mod tags {
    use super::{Anywhere, Category, InCourse, Tag};

    macro_rules! tags {
        ($($name:ident: $place:ident),+ $(,)?) => {
            $(
                #[doc = concat!("[`Category::", stringify!($name), "`].")]
                #[derive(Clone, Copy, Debug)]
                pub enum $name {}

                impl Tag for $name {
                    const CATEGORY: Category = Category::$name;
                    type Place = $place;
                }
            )+

            impl Category {
                /// Whether its values are of one course, and not of a person as a whole.
                pub const fn is_of_a_course(self) -> bool {
                    match self { $(Self::$name => tags!(@ $place)),+ }
                }
            }
        };
        (@ Anywhere) => { false };
        (@ InCourse) => { true };
    }

    tags! {
        Identity: Anywhere,
        Contact: Anywhere,
        Account: Anywhere,
        Device: Anywhere,
        Profile: Anywhere,
        LearningHistory: Anywhere,
        LearningRecord: InCourse,
        Class: InCourse,
        Engagement: InCourse,
        Assessment: InCourse,
        Interaction: Anywhere,
        Communication: InCourse,
        Authorship: InCourse,
        HiddenAuthorship: InCourse,
        Moderation: InCourse,
        Correspondence: InCourse,
        Review: InCourse,
        Notification: Anywhere,
        Recommendation: Anywhere,
        Oversight: Anywhere,
        Payment: Anywhere,
        Consent: Anywhere,
        Statistics: InCourse,
    }
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

impl<C: Tag> Personal<C, String> {
    /// So many bytes it takes: for whoever bounds memory, and for nobody to see.
    pub(crate) const fn bytes(&self) -> usize {
        self.value.len()
    }
}

impl<C: Tag, T> From<T> for Personal<C, T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<C: Tag, T: Default> Default for Personal<C, T> {
    fn default() -> Self {
        Self::new(T::default())
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
