//! Next courses in the graph.

use async_graphql::{Context, Enum, Object};

use super::model::{self, MAX_LIST};
use crate::{
    access::{Permit, tags},
    courses::graphql::{Course, Topic},
    graphql::{
        errors::Fault,
        scope::{Scope, scope},
    },
    ids::AccountId,
};

macro_rules! reason_kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal),+ $(,)?) => {
        /// What kind of reason speaks for a course.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub(crate) enum ReasonKind { $($(#[doc = $doc])+ $name),+ }

        impl ReasonKind {
            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

reason_kinds! {
    /// Many have taken it.
    Popular = "POPULAR",
    /// Many take it just now.
    PopularNow = "POPULAR_NOW",
    /// It is what learners take after `courses`.
    TakenNext = "TAKEN_NEXT",
    /// The learners of `courses` take it too.
    SimilarTo = "SIMILAR_TO",
    /// It is about `topics`, on which `seconds` were spent.
    TimeOnTopic = "TIME_ON_TOPIC",
    /// Of those who take it, `rate` complete it.
    CompletionRate = "COMPLETION_RATE",
    /// It is about `topics`, which are goals.
    Goal = "GOAL",
    /// It goes on where `courses` ended.
    NextLevel = "NEXT_LEVEL",
    /// What it requires is done: `courses`.
    PrerequisitesMet = "PREREQUISITES_MET",
    /// It is new.
    Freshness = "FRESHNESS",
    /// Its length fits.
    Length = "LENGTH",
    /// It stands next to `courses` in the catalogue.
    NextInCatalogue = "NEXT_IN_CATALOGUE",
    /// An engine outside Stoa has made the list, and says so in its own words.
    Engine = "ENGINE",
}

/// A course to take next.
pub(crate) struct Recommendation {
    course: Course,
    item: model::Recommended,
}

impl Recommendation {
    /// The learner's list, for whoever has asked the policy (see the field's resolver).
    pub(crate) async fn list(
        scope: &Scope,
        learner: AccountId,
        first: i32,
        permit: Permit<tags::Recommendation>,
    ) -> Result<Vec<Self>, Fault> {
        let limit = usize::try_from(first)
            .ok()
            .filter(|limit| *limit <= MAX_LIST)
            .ok_or_else(|| Fault::bad_input(format!("`first` must be between 0 and {MAX_LIST}; this was {first}")))?;
        let Some(list) = scope.load().next_courses.get(learner).await? else { return Ok(Vec::new()) };
        let items = list.open(permit);
        let courses = scope.load().courses.get_many(items.iter().map(|item| item.course).collect()).await?;
        Ok(items
            .iter()
            .filter_map(|item| {
                let course = courses.get(&item.course).cloned().flatten().filter(|course| course.is_public())?;
                Some(Self { course: Course(course), item: item.clone() })
            })
            .take(limit)
            .collect())
    }
}

/// A course to take next.
#[Object]
impl Recommendation {
    /// The course.
    async fn course(&self) -> &Course {
        &self.course
    }

    /// The score: higher is better. Scores compare within one list only.
    async fn score(&self) -> f64 {
        self.item.score
    }

    /// Why this course, the strongest reason first.
    async fn reasons(&self) -> Vec<Reason<'_>> {
        self.item
            .reasons
            .iter()
            .filter_map(|reason| Some(Reason { kind: ReasonKind::from_name(&reason.kind)?, reason }))
            .collect()
    }
}

/// A reason for a recommendation, with its evidence.
pub(crate) struct Reason<'a> {
    kind: ReasonKind,
    reason: &'a model::Reason,
}

/// A reason for a recommendation, with its evidence.
#[Object(name = "RecommendationReason")]
impl Reason<'_> {
    /// What kind of reason, for programs.
    async fn kind(&self) -> ReasonKind {
        self.kind
    }

    /// The reason, for people.
    async fn sentence(&self) -> &str {
        &self.reason.sentence
    }

    /// The courses that it rests on.
    async fn courses(&self, ctx: &Context<'_>) -> Result<Vec<Course>, Fault> {
        let found = scope(ctx).load().courses.get_many(self.reason.courses.clone()).await?;
        Ok(self
            .reason
            .courses
            .iter()
            .filter_map(|id| found.get(id).cloned().flatten().filter(|course| course.is_public()).map(Course))
            .collect())
    }

    /// The topics that it rests on.
    async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<Topic>, Fault> {
        let found = scope(ctx).load().topics.get_many(self.reason.topics.clone()).await?;
        Ok(self
            .reason
            .topics
            .iter()
            .filter_map(|id| found.get(id).cloned().flatten().map(|topic| Topic((*topic).clone())))
            .collect())
    }

    /// The time that it rests on, in seconds.
    async fn seconds(&self) -> Option<f64> {
        self.reason.seconds
    }

    /// The rate that it rests on, 0 to 1.
    async fn rate(&self) -> Option<f64> {
        self.reason.rate
    }

    /// How many learners it rests on, where there are enough not to know any of them by it.
    async fn learners(&self) -> Option<u32> {
        self.reason.learners
    }
}
