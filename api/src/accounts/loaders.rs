//! People by id, and what the viewer is to them, in batches. Long, since nothing else may make a standing.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{
    model::{Account, Holder, Identified, Involvement, Membership, SystemRole},
    store::{self, Meeting},
};
use crate::{
    access::{
        Anywhere, Facts, InCourse, Ledger, OpenCase, Personal, Place, Relation, RelationSet, Rules, Standing, Tenure,
        TokenScope, Viewer, Withheld, is_allow_all, tags,
    },
    app::App,
    batch::{Fetch, grouped},
    cases,
    courses::model::Course,
    db::{Db, DbError},
    ids::{AccountId, CourseId, TopicId},
    messages::model::Part,
    time::Timestamp,
};

/// The goals of learners.
pub(crate) struct Goals(pub(crate) Db);

impl Fetch for Goals {
    type Key = AccountId;
    type Value = Personal<tags::Profile, Arc<Vec<TopicId>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let goals = grouped(store::goals(&self.0, keys).await?);
        Ok(goals.into_iter().map(|(learner, goals)| (learner, goals.into())).collect())
    }
}

/// The roles of people by job function.
pub(crate) struct Roles(pub(crate) Db);

impl Fetch for Roles {
    type Key = AccountId;
    type Value = Personal<tags::Account, Arc<Vec<SystemRole>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let roles = grouped(store::roles_of(&self.0, keys).await?);
        Ok(roles.into_iter().map(|(account, roles)| (account, roles.into())).collect())
    }
}

/// The courses that people teach or help to teach.
pub(crate) struct Teaches(pub(crate) Db);

impl Fetch for Teaches {
    type Key = AccountId;
    type Value = Personal<tags::Identity, Arc<Vec<CourseId>>>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let courses = grouped(store::teaches(&self.0, keys).await?);
        Ok(courses.into_iter().map(|(person, courses)| (person, courses.into())).collect())
    }
}

/// What is known of the viewer, read once in a request.
pub(crate) struct Known {
    involvement: Involvement,
    /// Her roles as far as they count now.
    roles: RelationSet,
    /// The cases that she holds open, by the person they are about.
    cases: HashMap<AccountId, OpenCase>,
    /// What she could be to others with another credential, and why she is not.
    withheld: RelationSet,
    withheld_for: Option<Withheld>,
    /// What ended before this is no longer for the staff of a course.
    kept_since: Timestamp,
}

impl Known {
    /// What the viewer is to a course.
    pub(crate) fn membership(&self, course: CourseId) -> Membership {
        self.involvement.courses.get(&course).copied().unwrap_or_default()
    }

    /// The courses that the viewer takes or teaches.
    pub(crate) fn courses(&self) -> Vec<CourseId> {
        self.involvement.courses.keys().copied().collect()
    }

    /// Whether the viewer has a role by job function, and it counts now.
    pub(crate) const fn has_role(&self, role: SystemRole) -> bool {
        self.roles.has(role.relation())
    }

    /// Whether she is of a course's staff, which counts only with a second factor that she did not show.
    pub(crate) fn lacks_second_factor_as_staff(&self) -> bool {
        self.withheld_for == Some(Withheld::TwoFactor) && self.withheld.has(Relation::Staff)
    }

    /// With the case that the viewer holds open about the person, if there is one.
    fn with_case(&self, facts: Facts, relations: RelationSet) -> Facts {
        let case = facts.person.and_then(|person| self.cases.get(&person)).copied();
        let relations = if case.is_some() { relations.with(Relation::CaseHolder) } else { relations };
        Facts { relations, case, ..facts }
    }

    /// Whether the viewer keeps order in the course's forum, and may do so now.
    pub(crate) fn moderates(&self, course: CourseId) -> bool {
        self.membership(course).moderator && !self.withheld.has(Relation::Staff)
    }

    /// Whether the viewer teaches the course, and may look at its learners now.
    pub(crate) fn teaches(&self, course: CourseId) -> bool {
        self.membership(course).staff && !self.withheld.has(Relation::Staff)
    }
}

/// Who the viewer is to the others: the one place where relations are found.
///
/// Invariant: a person's [`Standing`] depends on the viewer and on the database, and never on the path by which
/// she was reached.
pub(crate) struct Viewpoint {
    db: Db,
    viewer: Viewer,
    rules: Rules,
    now: Timestamp,
    lens: Option<Lens>,
    ledger: Ledger,
    /// What was read with the viewer's credential, if nothing was written since.
    holder: Option<Arc<Holder>>,
    known: OnceCell<Known>,
    /// What the viewer is to those whom she was found to teach. It shows all of a person as a whole that any other
    /// meeting in a course shows, so these need not be looked up.
    taught: Mutex<HashMap<AccountId, Relation>>,
}

/// A learner's look at herself with somebody else's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lens {
    /// What that somebody is to her.
    pub(crate) relation: Relation,
    /// In which course.
    pub(crate) course: CourseId,
}

impl Viewpoint {
    pub(crate) fn new(app: &App, of: &Identified, lens: Option<Lens>, ledger: Ledger) -> Self {
        let (db, rules, now) = (app.db.clone(), app.rules.clone(), app.clock.now());
        let (viewer, holder) = (of.viewer.clone(), of.holder.clone());
        Self { db, viewer, rules, now, lens, ledger, holder, known: OnceCell::new(), taught: Mutex::default() }
    }

    /// What is known of the viewer.
    pub(crate) async fn known(&self) -> Result<&Known, DbError> {
        self.known.get_or_try_init(|| self.look_up()).await
    }

    async fn look_up(&self) -> Result<Known, DbError> {
        let kept_since = self.rules.kept_since(self.now);
        let involvement = match self.viewer.id() {
            Some(account) if self.viewer.has_scope(TokenScope::Read) => match &self.holder {
                Some(holder) => holder.involvement.clone(),
                None => store::involvement(&self.db, account).await?,
            },
            _ => Involvement::default(),
        };
        let all: RelationSet = involvement
            .roles
            .iter()
            .map(|role| role.relation())
            .chain(involvement.courses.values().any(|membership| membership.staff).then_some(Relation::Staff))
            .collect();
        let (withheld, withheld_for) = if self.viewer.id().is_none() {
            (RelationSet::NONE, None)
        } else if !self.viewer.has_scope(TokenScope::Read) {
            (RelationSet::only(Relation::Oneself), Some(Withheld::Scope))
        } else if !self.viewer.has_scope(TokenScope::People) {
            (all, Some(Withheld::Scope))
        } else if self.viewer.has_two_factor() {
            (RelationSet::NONE, None)
        } else {
            (all.iter().filter(|role| self.rules.two_factor_for.has(*role)).collect(), Some(Withheld::TwoFactor))
        };
        let roles: RelationSet = all.iter().filter(|role| *role != Relation::Staff && !withheld.has(*role)).collect();
        // A case counts with the role it was opened in, and as that does.
        let cases =
            match self.viewer.id().filter(|_| roles.has(Relation::Support) || roles.has(Relation::Administrator)) {
                Some(holder) => cases::store::open_of_holder(&self.db, holder, self.now).await?.into_iter().collect(),
                None => HashMap::new(),
            };
        Ok(Known { involvement, roles, cases, withheld, withheld_for, kept_since })
    }

    /// The instant that the request is answered for.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// What the viewer is to a course's talk and sums.
    pub(crate) async fn to_course(&self, course: &Course) -> Result<Standing<InCourse>, DbError> {
        let open = course.open_forum && self.viewer.has_scope(TokenScope::Read);
        self.to_talk(course, open).await
    }

    /// What the viewer is to what is said to those who take a course: an open forum does not make a learner.
    pub(crate) async fn to_members(&self, course: &Course) -> Result<Standing<InCourse>, DbError> {
        self.to_talk(course, false).await
    }

    async fn to_talk(&self, course: &Course, open: bool) -> Result<Standing<InCourse>, DbError> {
        let known = self.known().await?;
        let mut relations = known.roles;
        if known.teaches(course.id) {
            relations = relations.with(Relation::Staff);
        }
        if known.moderates(course.id) {
            relations = relations.with(Relation::Moderator);
        }
        if course.is_public() && (known.membership(course.id).learner || open) {
            relations = relations.with(Relation::Classmate);
        }
        // What is written for everybody to read is for those who are nothing else, too.
        relations = relations.with(Relation::Stranger);
        Ok(self.standing(Facts { course: Some(course.id), relations, ..self.facts(known) }))
    }

    /// What the viewer is to the learners of a course, as far as that is the same for all of them.
    pub(crate) async fn to_class(&self, course: CourseId) -> Result<Standing<InCourse>, DbError> {
        let known = self.known().await?;
        let relations = if known.teaches(course) { RelationSet::only(Relation::Staff) } else { RelationSet::NONE };
        Ok(self.standing(Facts { course: Some(course), relations, ..self.facts(known) }))
    }

    /// What the viewer is to a conversation about a course, in which she has this part: staff only as long as she is that, and may act as
    /// that now. With somebody else's eyes she reads no conversation.
    pub(crate) async fn to_conversation(&self, course: CourseId, part: Part) -> Result<Standing<InCourse>, DbError> {
        let known = self.known().await?;
        let takes_part = match part {
            Part::Learner => self.viewer.has_scope(TokenScope::Read),
            Part::Staff => known.teaches(course),
        };
        let relations = if takes_part && self.lens.is_none() {
            RelationSet::only(Relation::Correspondent)
        } else {
            RelationSet::NONE
        };
        Ok(self.standing(Facts { course: Some(course), relations, ..self.facts(known) }))
    }

    /// What the viewer is to a person in a course, given [`Viewpoint::known`]. No tenure: she never took it.
    pub(crate) fn in_course(
        &self,
        known: &Known,
        person: AccountId,
        course: CourseId,
        tenure: Option<Tenure>,
    ) -> Standing<InCourse> {
        let to_staff = tenure.and_then(|tenure| tenure.to_staff(known.kept_since));
        let lasts = tenure.is_some_and(Tenure::lasts);
        let facts = Facts { person: Some(person), course: Some(course), ..self.facts(known) };
        if self.viewer.is(person) {
            let relation = match self.lens {
                None => self.oneself(),
                Some(lens) if lens.course != course => None,
                Some(Lens { relation: Relation::Staff, .. }) => to_staff,
                Some(lens) => lasts.then_some(lens.relation),
            };
            return self.standing(Facts { person: None, relations: relation.into_iter().collect(), ..facts });
        }
        let mut relations = known.roles;
        if let Some(relation) = to_staff.filter(|_| known.teaches(course)) {
            relations = relations.with(relation);
            let mut taught = self.taught.lock().unwrap_or_else(PoisonError::into_inner);
            let closest = taught.entry(person).or_insert(relation);
            *closest = relation.min(*closest);
        }
        if known.moderates(course) {
            relations = relations.with(Relation::Moderator);
        }
        if known.membership(course).learner && lasts {
            relations = relations.with(Relation::Classmate);
        }
        self.standing(known.with_case(facts, relations))
    }

    /// What the viewer is to herself, if what she came with may be used for that.
    fn oneself(&self) -> Option<Relation> {
        self.viewer.has_scope(TokenScope::Read).then_some(Relation::Oneself)
    }

    /// What the viewer is to herself as a whole, with whose eyes ever she looks.
    async fn to_oneself(&self, known: &Known, oneself: AccountId) -> Result<RelationSet, DbError> {
        let relation = match self.lens {
            None => self.oneself(),
            Some(lens) => {
                let tenure = store::takers(&self.db, &[oneself], [lens.course]).await?.pop().map(|(.., tenure)| tenure);
                match lens.relation {
                    Relation::Staff => tenure.and_then(|tenure| tenure.to_staff(known.kept_since)),
                    relation => tenure.is_some_and(Tenure::lasts).then_some(relation),
                }
            }
        };
        Ok(relation.into_iter().collect())
    }

    fn taught(&self, person: AccountId) -> Option<Relation> {
        self.taught.lock().unwrap_or_else(PoisonError::into_inner).get(&person).copied()
    }

    fn facts(&self, known: &Known) -> Facts {
        Facts {
            signed_in: self.viewer.id().is_some(),
            withheld: known.withheld,
            withheld_for: known.withheld_for,
            ..Facts::default()
        }
    }

    fn standing<P: Place>(&self, facts: Facts) -> Standing<P> {
        Standing::new(facts, &self.ledger)
    }
}

/// What the viewer is to each person as a whole.
pub(crate) struct Relations(pub(crate) Arc<Viewpoint>);

/// A standing for a [`Fetch`]: whoever is not found is a stranger.
#[derive(Clone, Debug)]
pub(crate) struct Found(pub(crate) Standing<Anywhere>);

impl Default for Found {
    fn default() -> Self {
        Self(Standing::stranger())
    }
}

impl Fetch for Relations {
    type Key = AccountId;
    type Value = Found;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Found>, DbError> {
        let view = &*self.0;
        let mut to_people = ToPeople::new(view, keys).await?;
        to_people.ask().await?;
        Ok(keys.iter().map(|person| (*person, Found(to_people.standing(*person)))).collect())
    }
}

/// People, each with what the viewer is to her.
pub(crate) struct People(pub(crate) Arc<Viewpoint>);

impl Fetch for People {
    type Key = AccountId;
    type Value = Option<(Arc<Account>, Standing<Anywhere>)>;

    async fn fetch(&self, keys: &[AccountId]) -> Result<HashMap<AccountId, Self::Value>, DbError> {
        let view = &*self.0;
        let mut to_people = ToPeople::new(view, keys).await?;
        let mut accounts = to_people.ask().await?;
        let own = view.holder.as_ref().map(|holder| &holder.account);
        let (own, others): (Vec<_>, Vec<_>) =
            to_people.known.iter().copied().partition(|person| own.is_some_and(|own| own.id == *person));
        if !own.is_empty() {
            accounts.extend(view.holder.iter().map(|holder| (holder.account.id, Arc::clone(&holder.account))));
        }
        if !others.is_empty() {
            let found = store::by_ids(&view.db, &others).await?;
            accounts.extend(found.into_iter().map(|account| (account.id, Arc::new(account))));
        }
        let found = |(id, account)| (id, Some((account, to_people.standing(id))));
        Ok(accounts.into_iter().map(found).collect())
    }
}

/// What the viewer is to some people, as it is being found out.
struct ToPeople<'a> {
    view: &'a Viewpoint,
    viewer: &'a Known,
    relations: HashMap<AccountId, RelationSet>,
    /// Of whom nothing need be asked.
    known: Vec<AccountId>,
    /// For whom the database must be asked where the viewer meets them.
    unknown: Vec<AccountId>,
}

impl<'a> ToPeople<'a> {
    async fn new(view: &'a Viewpoint, people: &[AccountId]) -> Result<Self, DbError> {
        let viewer = view.known().await?;
        let mut to_people = Self {
            view,
            viewer,
            relations: HashMap::with_capacity(people.len()),
            known: Vec::new(),
            unknown: Vec::new(),
        };
        for person in people.iter().copied() {
            let relations = if view.viewer.is(person) {
                Some(view.to_oneself(viewer, person).await?)
            } else if let Some(relation) = view.taught(person) {
                Some(viewer.roles.with(relation))
            } else {
                is_allow_all().then_some(viewer.roles)
            };
            let ask = if relations.is_some() { &mut to_people.known } else { &mut to_people.unknown };
            ask.push(person);
            to_people.relations.insert(person, relations.unwrap_or(viewer.roles));
        }
        Ok(to_people)
    }

    /// Asks where those are met of whom it is not known, and answers with their accounts.
    async fn ask(&mut self) -> Result<HashMap<AccountId, Arc<Account>>, DbError> {
        if self.unknown.is_empty() {
            return Ok(HashMap::new());
        }
        let courses = &self.viewer.involvement.courses;
        let taught = courses.iter().filter(|(_, membership)| membership.staff).map(|(course, _)| *course);
        let (accounts, meetings) = store::people(&self.view.db, &self.unknown, courses.keys().copied(), taught).await?;
        self.meet(meetings);
        Ok(accounts)
    }

    /// Adds where people are met.
    fn meet(&mut self, meetings: Vec<Meeting>) {
        let known = self.viewer;
        for (person, learns) in meetings {
            let of = self.relations.entry(person).or_default();
            let Some((course, tenure)) = learns else {
                *of = of.with(Relation::Audience);
                continue;
            };
            if let Some(relation) = tenure.to_staff(known.kept_since).filter(|_| known.teaches(course)) {
                *of = of.with(relation);
            }
            if known.membership(course).learner && tenure.lasts() {
                *of = of.with(Relation::Classmate);
            }
        }
    }

    fn standing(&self, person: AccountId) -> Standing<Anywhere> {
        let relations = self.relations.get(&person).copied().unwrap_or_default();
        let facts = Facts { person: Some(person), ..self.view.facts(self.viewer) };
        // What somebody sees of herself is not logged, with whose eyes ever.
        let facts = if self.view.viewer.is(person) {
            Facts { person: None, relations, ..facts }
        } else {
            self.viewer.with_case(facts, relations)
        };
        self.view.standing(facts)
    }
}

/// What the viewer is to people in courses, such as to the authors of what is written there.
pub(crate) struct InCourses(pub(crate) Arc<Viewpoint>);

/// As [`Found`], in a course.
#[derive(Clone, Debug)]
pub(crate) struct FoundInCourse(pub(crate) Standing<InCourse>);

impl Default for FoundInCourse {
    fn default() -> Self {
        Self(Standing::stranger())
    }
}

impl Fetch for InCourses {
    type Key = (AccountId, CourseId);
    type Value = FoundInCourse;

    async fn fetch(&self, keys: &[Self::Key]) -> Result<HashMap<Self::Key, FoundInCourse>, DbError> {
        let view = &*self.0;
        let known = view.known().await?;
        // Read for all alike, so that the time of an answer does not tell for whom something was found.
        let people: HashSet<_> = keys.iter().map(|(person, _)| *person).collect();
        let courses: HashSet<_> = keys.iter().map(|(_, course)| *course).collect();
        let people: Vec<_> = people.into_iter().collect();
        let tenures: HashMap<_, _> = store::takers(&view.db, &people, courses)
            .await?
            .into_iter()
            .map(|(person, course, tenure)| ((person, course), tenure))
            .collect();
        let found = |key: &Self::Key| view.in_course(known, key.0, key.1, tenures.get(key).copied());
        Ok(keys.iter().map(|key| (*key, FoundInCourse(found(key)))).collect())
    }
}
