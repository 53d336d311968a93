//! The policy's table: categories, relations, and which relation may see which category.

use crate::db::stored_enum;

stored_enum! {
    /// What kind of thing a value says about a person.
    pub enum Category {
        /// Name and picture.
        Identity = "IDENTITY",
        /// E-mail address.
        Contact = "CONTACT",
        /// The state of the account: since when, whether it is verified, its roles, second factor and tokens.
        Account = "ACCOUNT",
        /// Where somebody signed in from: networks, browsers, times.
        Device = "DEVICE",
        /// Goals, background, time zone, language.
        Profile = "PROFILE",
        /// Every course that somebody takes or took, and time over all of them.
        LearningHistory = "LEARNING_HISTORY",
        /// In one course: being enrolled, progress, completions.
        LearningRecord = "LEARNING_RECORD",
        /// Who takes a course: its class.
        Class = "CLASS",
        /// In one course: time spent, when last there, where she left off.
        Engagement = "ENGAGEMENT",
        /// In one course: attempts, submissions, grades.
        Assessment = "ASSESSMENT",
        /// Bookmarks, navigation, preferences of the interface.
        Interaction = "INTERACTION",
        /// What was written to a course's forum.
        Communication = "COMMUNICATION",
        /// Who wrote what was posted anonymously to classmates.
        Authorship = "AUTHORSHIP",
        /// Who wrote what was posted anonymously to all but moderators.
        HiddenAuthorship = "HIDDEN_AUTHORSHIP",
        /// What was reported to the moderators of a forum, by whom, and what they decided.
        Moderation = "MODERATION",
        /// What was written in private between a learner and the staff of a course.
        Correspondence = "CORRESPONDENCE",
        /// What she wrote about a course for everybody to read.
        Review = "REVIEW",
        /// What she was notified of.
        Notification = "NOTIFICATION",
        /// What the recommender makes of a learning history, with its reasons: courses taken, time on topics, goals.
        Recommendation = "RECOMMENDATION",
        /// Who looked at her data, and under which cases.
        Oversight = "OVERSIGHT",
        /// What was paid, and how.
        Payment = "PAYMENT",
        /// What she has agreed to.
        Consent = "CONSENT",
        /// Sums over a course's learners, from which no single one can be told.
        Statistics = "STATISTICS",
    }
}

stored_enum! {
    /// What a viewer is to a person, or to a course whose talk or sums she reads. There may be several at once:
    /// what any of them may see is seen.
    pub enum Relation {
        /// The viewer is the person.
        Oneself = "ONESELF",
        /// An instructor or assistant of the course at hand, or, for what is not of one course, of one that the
        /// person takes.
        Staff = "STAFF",
        /// An instructor or assistant of a course that the person has left, for as long as grading may need it.
        FormerStaff = "FORMER_STAFF",
        /// The viewer keeps order in the forum of the course at hand: its instructors do.
        Moderator = "MODERATOR",
        /// The viewer takes part in the conversation at hand.
        Correspondent = "CORRESPONDENT",
        /// Both take the same course, or the viewer takes the course at hand.
        Classmate = "CLASSMATE",
        /// The person teaches a course that is not a draft, or one that the viewer teaches, too: she stands in the catalogue
        /// by name.
        Audience = "AUDIENCE",
        /// The viewer has an open case about the person. It opens the categories that the case names.
        CaseHolder = "CASE_HOLDER",
        /// The viewer helps people with their accounts.
        Support = "SUPPORT",
        /// The viewer reads sums.
        Analyst = "ANALYST",
        /// The viewer runs the system.
        Administrator = "ADMINISTRATOR",
        /// Whoever gives commands on the server's machine.
        Operator = "OPERATOR",
        /// None of these.
        Stranger = "STRANGER",
    }
}

/// The policy: whether somebody in this relation may see this category.
///
/// For [`Relation::CaseHolder`] this says what a case can open at all; a case opens what it names of it.
pub const fn may_see(relation: Relation, category: Category) -> bool {
    use Relation as R;
    match category {
        Category::Identity => {
            !matches!(relation, R::Moderator | R::Correspondent | R::Analyst | R::Operator | R::Stranger)
        }
        Category::Contact | Category::Account => matches!(relation, R::Oneself | R::Support | R::Administrator),
        Category::Device => matches!(relation, R::Oneself | R::Support),
        Category::Profile | Category::LearningHistory | Category::Interaction => {
            matches!(relation, R::Oneself | R::CaseHolder)
        }
        Category::LearningRecord | Category::Assessment => {
            matches!(relation, R::Oneself | R::Staff | R::FormerStaff | R::CaseHolder)
        }
        Category::Class => matches!(relation, R::Staff),
        Category::Engagement => matches!(relation, R::Oneself | R::Staff | R::CaseHolder),
        Category::Communication => matches!(relation, R::Staff | R::Classmate),
        Category::Authorship => matches!(relation, R::Oneself | R::Staff | R::FormerStaff | R::Moderator),
        Category::HiddenAuthorship | Category::Moderation => matches!(relation, R::Oneself | R::Moderator),
        Category::Correspondence => matches!(relation, R::Correspondent),
        Category::Review => true,
        Category::Recommendation => matches!(relation, R::Oneself | R::CaseHolder | R::Operator),
        Category::Notification | Category::Oversight | Category::Payment | Category::Consent => {
            matches!(relation, R::Oneself)
        }
        Category::Statistics => matches!(relation, R::Staff | R::Analyst | R::Administrator),
    }
}

/// Whether a look leaves a row in the access log.
///
/// Not what somebody sees of herself; not sums, nor a class, each of whose learners has a row of her own; not what was written or
/// reported to be read by those who read it; and not the names that
/// classmates see of each other, or everybody of those who teach: such rows would tell the one who is
/// looked at what her classmates read, and when.
pub const fn is_logged(relation: Relation, category: Category) -> bool {
    !matches!(relation, Relation::Oneself | Relation::Classmate | Relation::Audience)
        && !matches!(
            category,
            Category::Communication
                | Category::Correspondence
                | Category::Moderation
                | Category::Review
                | Category::Statistics
                | Category::Class
        )
}

/// The relations that may see a category, closest first.
pub fn audience(category: Category) -> Vec<Relation> {
    Relation::ALL.iter().copied().filter(|relation| may_see(*relation, category)).collect()
}

/// The categories that a case can open.
pub fn case_categories() -> impl Iterator<Item = Category> {
    Category::ALL
        .iter()
        .copied()
        .filter(|category| may_see(Relation::CaseHolder, *category) && *category != Category::Identity)
}

macro_rules! sets {
    ($($(#[$doc:meta])* $set:ident of $item:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $set(u32);

        impl $set {
            /// Nothing.
            pub const NONE: Self = Self(0);

            /// This one alone.
            pub const fn only(item: $item) -> Self {
                Self(1 << item as u32)
            }

            /// With another.
            #[must_use]
            pub const fn with(self, item: $item) -> Self {
                Self(self.0 | 1 << item as u32)
            }

            /// Whether it is in the set.
            pub const fn has(self, item: $item) -> bool {
                self.0 & 1 << item as u32 != 0
            }

            /// Whether there is nothing in the set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// What is in the set, in order.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |item| self.has(*item))
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                items.into_iter().fold(Self::NONE, Self::with)
            }
        }
    )+};
}

sets! {
    /// A set of categories.
    CategorySet of Category;
    /// A set of relations.
    RelationSet of Relation;
}

/// What each relation sees, and what of it is logged: the table as sets.
const SEEN: [(CategorySet, CategorySet); Relation::ALL.len()] = {
    let mut seen = [(CategorySet::NONE, CategorySet::NONE); Relation::ALL.len()];
    let mut relation = 0;
    while relation < Relation::ALL.len() {
        let mut category = 0;
        while category < Category::ALL.len() {
            let (of, what) = (Relation::ALL[relation], Category::ALL[category]);
            if may_see(of, what) {
                seen[relation].0 = seen[relation].0.with(what);
                if is_logged(of, what) {
                    seen[relation].1 = seen[relation].1.with(what);
                }
            }
            category += 1;
        }
        relation += 1;
    }
    seen
};

impl Relation {
    /// What it sees.
    pub(super) const fn sees(self) -> CategorySet {
        SEEN[self as usize].0
    }

    /// What of that leaves a row in the access log.
    pub(super) const fn logged(self) -> CategorySet {
        SEEN[self as usize].1
    }
}

impl CategorySet {
    /// What is in either.
    #[must_use]
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// As one number, for atomics.
    pub(super) const fn bits(self) -> u32 {
        self.0
    }

    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So whoever is known to be taught by the viewer need not be looked for among her classmates and colleagues.
    #[test]
    fn staff_see_of_a_person_as_a_whole_all_that_others_who_meet_her_see() {
        for category in Category::ALL.iter().filter(|category| !category.is_of_a_course()) {
            let meets = may_see(Relation::Classmate, *category) || may_see(Relation::Audience, *category);
            for staff in [Relation::Staff, Relation::FormerStaff] {
                assert!(!meets || may_see(staff, *category), "{staff:?} {category:?}");
            }
        }
    }

    #[test]
    fn the_table_is_what_the_documentation_says() {
        let mut table = String::new();
        for category in Category::ALL {
            let seen_by: Vec<_> = audience(*category).into_iter().map(Relation::as_str).collect();
            table += &format!("{}: {}\n", category.as_str(), seen_by.join(" "));
        }
        assert_eq!(
            table,
            "IDENTITY: ONESELF STAFF FORMER_STAFF CLASSMATE AUDIENCE CASE_HOLDER SUPPORT ADMINISTRATOR\n\
             CONTACT: ONESELF SUPPORT ADMINISTRATOR\n\
             ACCOUNT: ONESELF SUPPORT ADMINISTRATOR\n\
             DEVICE: ONESELF SUPPORT\n\
             PROFILE: ONESELF CASE_HOLDER\n\
             LEARNING_HISTORY: ONESELF CASE_HOLDER\n\
             LEARNING_RECORD: ONESELF STAFF FORMER_STAFF CASE_HOLDER\n\
             CLASS: STAFF\n\
             ENGAGEMENT: ONESELF STAFF CASE_HOLDER\n\
             ASSESSMENT: ONESELF STAFF FORMER_STAFF CASE_HOLDER\n\
             INTERACTION: ONESELF CASE_HOLDER\n\
             COMMUNICATION: STAFF CLASSMATE\n\
             AUTHORSHIP: ONESELF STAFF FORMER_STAFF MODERATOR\n\
             HIDDEN_AUTHORSHIP: ONESELF MODERATOR\n\
             MODERATION: ONESELF MODERATOR\n\
             CORRESPONDENCE: CORRESPONDENT\n\
             REVIEW: ONESELF STAFF FORMER_STAFF MODERATOR CORRESPONDENT CLASSMATE AUDIENCE CASE_HOLDER SUPPORT ANALYST ADMINISTRATOR OPERATOR STRANGER\n\
             NOTIFICATION: ONESELF\n\
             RECOMMENDATION: ONESELF CASE_HOLDER OPERATOR\n\
             OVERSIGHT: ONESELF\n\
             PAYMENT: ONESELF\n\
             CONSENT: ONESELF\n\
             STATISTICS: STAFF ANALYST ADMINISTRATOR\n"
        );
    }
}
