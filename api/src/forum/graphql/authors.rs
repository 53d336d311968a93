//! Who wrote something, as far as it is for the viewer; and what an author is told before she posts.

use async_graphql::{Enum, SimpleObject};

use crate::{
    access::{
        self, Category, Field, InCourse, Shown, Standing, Tag,
        graphql::Relation,
        permit,
        tags::{Authorship, HiddenAuthorship},
    },
    accounts::graphql::Person,
    forum::model,
    graphql::{errors::Fault, scope::Scope},
    ids::{AccountId, CourseId},
};

/// From whom the author of a post hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Anonymity")]
pub(crate) enum Anonymity {
    /// From nobody.
    None,
    /// From her classmates; the course's staff see who it was.
    Classmates,
    /// From all but the forum's moderators: the instructors of the course.
    AllButModerators,
}

/// The fields in which an author shows: as classmates don't see her, and as nobody but moderators does.
pub(super) struct AuthorFields {
    pub(super) of_anonymous: &'static Field<Authorship>,
    pub(super) of_hidden: &'static Field<HiddenAuthorship>,
}

/// What the viewer is to the author of something in a course.
pub(super) async fn to_author(scope: &Scope, course: CourseId, author: AccountId) -> Result<Standing<InCourse>, Fault> {
    Ok(scope.load().in_course.get((author, course)).await?.0)
}

/// Who wrote something.
pub(super) async fn shown(
    scope: &Scope,
    fields: &AuthorFields,
    (course, author, anonymity): (CourseId, AccountId, model::Anonymity),
) -> Shown<Option<Person>> {
    match anonymity {
        // Whoever may read it may know whose it is; of the person she sees what she may.
        model::Anonymity::None => Person::load(scope, author).await.into(),
        model::Anonymity::Classmates => behind(scope, fields.of_anonymous, course, author).await,
        model::Anonymity::AllButModerators => behind(scope, fields.of_hidden, course, author).await,
    }
}

async fn behind<C: Tag<Place = InCourse>>(
    scope: &Scope,
    field: &'static Field<C>,
    course: CourseId,
    author: AccountId,
) -> Shown<Option<Person>> {
    match to_author(scope, course, author).await {
        Err(fault) => Shown::Failed(fault),
        Ok(standing) => match permit(field, &standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_) => Person::load(scope, author).await.into(),
        },
    }
}

/// The name under which somebody who hides is known in a thread.
pub(super) fn pseudonym(anonymity: model::Anonymity, alias: Option<i64>) -> Option<String> {
    (anonymity != model::Anonymity::None).then(|| match alias {
        Some(number) => format!("Anonymous {number}"),
        None => "Anonymous".to_owned(),
    })
}

/// Who reads what is posted, and who sees its author's name: to be shown before posting.
#[derive(SimpleObject)]
pub(crate) struct PostingAudience {
    /// From whom the author would hide.
    anonymity: Anonymity,
    /// Whether you may post in this way.
    allowed: bool,
    /// Why you may not, for people; null if you may.
    why_not: Option<String>,
    /// Who reads the post, for people.
    readers: String,
    /// What those are to the course who read it.
    read_by: Vec<Relation>,
    /// Who sees your name, for people.
    named_to: String,
    /// What those are to you, or to the course, who see your name.
    name_seen_by: Vec<Relation>,
}

impl PostingAudience {
    /// Of a course's forum, which is open to everybody or not, for somebody who is staff there or not.
    pub(super) fn new(anonymity: model::Anonymity, is_open: bool, is_of_staff: bool) -> Self {
        let allowed = anonymity == model::Anonymity::None || !is_of_staff;
        let readers = if is_open {
            "everybody who has signed in"
        } else {
            "those who take this course and its staff, now and later"
        };
        let (category, named_to) = match anonymity {
            model::Anonymity::None => (Category::Communication, format!("{readers}: your name stands beside the post")),
            model::Anonymity::Classmates => (
                Category::Authorship,
                "the staff of this course, its instructors and assistants, now and later; the others see a number, \
                 the same in all that you post in the thread in this way"
                    .to_owned(),
            ),
            model::Anonymity::AllButModerators => (
                Category::HiddenAuthorship,
                "the moderators of this forum, who are the instructors of the course, now and later, and each look \
                 stands in your access log; the others, assistants too, see a number, the same in all that you post \
                 in the thread in this way"
                    .to_owned(),
            ),
        };
        let relations = |category| access::audience(category).into_iter().map(Relation::from).collect();
        Self {
            anonymity: anonymity.into(),
            allowed,
            why_not: (!allowed).then(|| "the staff of a course speaks under its name there".to_owned()),
            readers: readers.to_owned(),
            read_by: relations(Category::Communication),
            named_to,
            name_seen_by: relations(category),
        }
    }
}
