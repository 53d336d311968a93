//! Next courses in the graph.

pub(crate) mod feedback;
pub(crate) mod live;
pub(crate) mod why_not;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, SimpleObject};
use stoa_macros::Object;

use super::{
    Given,
    model::{self, MAX_LIST},
};
use crate::{
    access::{Permit, Personal, tags},
    courses::graphql::{Course, Topic},
    graphql::{
        direct::List,
        errors::Fault,
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId},
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
    /// Learners with the same interests take it.
    Cohort = "COHORT",
    /// The learner is clearly likelier to complete it, with probability `rate`, than learners usually are.
    LikelyToComplete = "LIKELY_TO_COMPLETE",
    /// It is like `courses`, which the learner liked.
    Liked = "LIKED",
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
        let limit = limit(first)?;
        match scope.load().next_courses.get(learner).await? {
            Some(given) => Self::of(scope, &given.open(permit).list, limit).await,
            None => Ok(Vec::new()),
        }
    }

    async fn of(scope: &Scope, list: &model::List, limit: usize) -> Result<Vec<Self>, Fault> {
        let courses = scope.load().courses.get_many(list.items.iter().map(|item| item.course).collect()).await?;
        Ok(list
            .items
            .iter()
            .filter_map(|item| {
                let course = courses.get(&item.course).cloned().flatten().filter(|course| course.is_public())?;
                Some(Self { course: Course(course), item: item.clone() })
            })
            .take(limit)
            .collect())
    }
}

/// How many courses of a list are asked for.
fn limit(first: i32) -> Result<usize, Fault> {
    usize::try_from(first)
        .ok()
        .filter(|limit| *limit <= MAX_LIST)
        .ok_or_else(|| Fault::bad_input(format!("`first` must be between 0 and {MAX_LIST}; this was {first}")))
}

/// Courses by their ids, as far as they are public.
async fn public(scope: &Scope, ids: &[CourseId]) -> Result<Vec<Course>, Fault> {
    let found = scope.load().courses.get_many(ids.to_vec()).await?;
    Ok(ids
        .iter()
        .filter_map(|id| found.get(id).cloned().flatten().filter(|course| course.is_public()).map(Course))
        .collect())
}

/// A list of courses to take next, with what there is to say of it as a whole.
pub(crate) struct NextCourses {
    given: Option<Arc<Personal<tags::Recommendation, Given>>>,
    permit: Permit<tags::Recommendation>,
    limit: usize,
}

impl NextCourses {
    /// The learner's list, for whoever has asked the policy (see the field's resolver).
    pub(crate) async fn load(
        scope: &Scope,
        learner: AccountId,
        first: i32,
        permit: Permit<tags::Recommendation>,
    ) -> Result<Self, Fault> {
        let limit = limit(first)?;
        Ok(Self { given: scope.load().next_courses.get(learner).await?, permit, limit })
    }

    fn list(&self) -> Option<&model::List> {
        self.given.as_ref().map(|given| &given.open(self.permit).list)
    }
}

/// A list of courses to take next, with what there is to say of it as a whole.
#[Object]
impl NextCourses {
    /// The list's id, for `recordRecommendationEvents` and `giveRecommendationFeedback`. Null where nothing is kept of what
    /// becomes of the list: without a model, and without consent to personal recommendations. Ask for it only if you
    /// report: an answer with it waits until the list is kept.
    async fn id(&self) -> Option<ID> {
        let given = self.given.as_ref()?.open(self.permit);
        given.id().await.map(|id| ID(id.0.to_string()))
    }

    /// Whether the list was made from what the learner does, wants or says. If not, anybody would get it, but for the courses
    /// that she has: that is so for who is new, and for who does not consent to personal recommendations.
    async fn personalised(&self) -> bool {
        self.list().is_some_and(|list| !list.about.data_used.is_empty())
    }

    /// The kinds of the learner's data that the list was made from.
    async fn data_used(&self) -> Vec<DataUsed> {
        self.list().map_or_else(Vec::new, |list| list.about.data_used.iter().map(|used| (*used).into()).collect())
    }

    /// Who made the list: `hybrid` for all engines of the model together, the label of one of them, or the name of an
    /// external engine. Null without a model.
    async fn engine(&self) -> Option<&str> {
        self.list().map(|list| list.about.engine.as_str())
    }

    /// The engine that should have made the list and could not; null if it was as it should be.
    async fn instead_of(&self) -> Option<&str> {
        self.list()?.about.instead_of.as_deref()
    }

    /// Why `insteadOf` could not make the list: `TIMED_OUT`, `UNREACHABLE`, `BAD_STATUS`, `BAD_ANSWER`, `NOTHING`, `PAUSED`,
    /// `BUSY` or `UNKNOWN_ENGINE`. Null if the list is of who should have made it.
    async fn fallback_reason(&self) -> Option<&str> {
        self.list()?.about.fallback_reason.as_deref()
    }

    /// The id of the model; null without one.
    async fn model(&self) -> Option<String> {
        self.list().map(|list| list.model.0.to_string())
    }

    /// The experiment that the learner is in, and her arm of it; null if none runs, or if she does not consent to personal
    /// recommendations.
    async fn experiment(&self) -> Option<RecommendationExperiment> {
        let place = self.list()?.about.experiment.as_ref()?;
        Some(RecommendationExperiment { name: place.experiment.clone(), arm: place.arm.clone() })
    }

    /// The courses, the best first, each with the reasons for it.
    async fn items(&self, ctx: &Context<'_>) -> Result<List<Recommendation>, Fault> {
        match self.list() {
            Some(list) => Recommendation::of(scope(ctx), list, self.limit).await.map(List),
            None => Ok(List(Vec::new())),
        }
    }
}

/// A place in an experiment: learners are split between ways to recommend.
#[derive(SimpleObject)]
pub(crate) struct RecommendationExperiment {
    /// The experiment.
    name: String,
    /// The learner's arm: always the same in one experiment.
    arm: String,
}

/// A kind of a learner's data from which a list is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "stoa_recommender::DataUsed")]
pub(crate) enum DataUsed {
    /// Which courses she takes or took, and when.
    History,
    /// How far she got in them.
    Completion,
    /// How long she stayed.
    Time,
    /// How she rated them.
    Rating,
    /// Her goals.
    Goals,
    /// What she said of recommended courses.
    Feedback,
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
        reasons(&self.item.reasons)
    }

    /// How likely the learner is to complete it, 0 to 1; null where that can't be told.
    async fn completion_probability(&self) -> Option<f64> {
        self.item.completion
    }

    /// The courses to take first, in this order, since this one requires them; empty if nothing is missing.
    async fn path(&self, ctx: &Context<'_>) -> Result<Vec<Course>, Fault> {
        public(scope(ctx), &self.item.path).await
    }

    /// Whether it stands here to find out whether it fits, and not because it ranked here.
    async fn explored(&self) -> bool {
        self.item.explored
    }
}

/// The reasons of which the graph knows the kind.
fn reasons(of: &[model::Reason]) -> Vec<Reason<'_>> {
    of.iter().filter_map(|reason| Some(Reason { kind: ReasonKind::from_name(&reason.kind)?, reason })).collect()
}

/// A reason for a recommendation, with its evidence.
pub(crate) struct Reason<'a> {
    kind: ReasonKind,
    reason: &'a model::Reason,
}

/// A reason for a recommendation, with its evidence.
#[async_graphql::Object(name = "RecommendationReason")]
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
        public(scope(ctx), &self.reason.courses).await
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
