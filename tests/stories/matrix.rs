//! Every field of the graph, as every kind of viewer finds it, held against a committed table.
//!
//! The test walks the schema by introspection, so a field that somebody adds is asked for by everybody at once, and
//! fails here until the table has a row for it. `UPDATE_MATRIX=1 cargo test matrix` writes the table; look at its diff.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    env, fs,
    path::Path,
};

use serde_json::{Value, json};
use stoa_api::{
    access::{self, Category, Credential, Relation, Rules, Viewer},
    accounts::model::{NewAccount, SystemRole},
    app::Settings,
    cases::model::NewCase,
    graphql::global_id,
    ids::{AccountId, CourseId},
    recommendations::{
        experiments::{ArmSettings, ExperimentSettings},
        model::FeedbackKind,
    },
    sign_in::model::{Origin, Proof},
};
use stoa_testkit::{Client, Database, SCHOOL, School};
use uuid::Uuid;

mod mei;

use mei::MEI;

/// The schema, as far as the walk needs it.
struct Schema {
    /// The fields of object types, in order.
    objects: BTreeMap<String, Vec<Field>>,
    /// The types that an abstract type may be.
    possible: HashMap<String, Vec<String>>,
}

struct Field {
    name: String,
    /// Its type without lists and non-nulls, if it has fields of its own.
    leads_to: Option<String>,
    /// Its required arguments, with their types.
    needs: Vec<(String, String)>,
    /// Whether it takes `first`.
    is_paged: bool,
}

impl Schema {
    async fn read(client: &Client) -> Self {
        let query = "{ __schema { types { kind name possibleTypes { name } fields(includeDeprecated: true) { name
            args { name defaultValue type { ...t } } type { ...t } } } } }
            fragment t on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let data = client.data(query).await;
        let (mut objects, mut possible) = (BTreeMap::new(), HashMap::new());
        for ty in data["__schema"]["types"].as_array().unwrap() {
            let name = ty["name"].as_str().unwrap().to_owned();
            if ty["kind"] == "OBJECT" && !name.starts_with("__") {
                let fields = ty["fields"].as_array().unwrap().iter().map(field).collect();
                possible.insert(name.clone(), vec![name.clone()]);
                objects.insert(name, fields);
            } else if let Some(types) = ty["possibleTypes"].as_array() {
                let types = types.iter().map(|ty| ty["name"].as_str().unwrap().to_owned()).collect();
                possible.insert(name, types);
            }
        }
        Self { objects, possible }
    }

    /// The shortest way to each type: the fields from the root, and the types they are on. Not by what is the viewer's
    /// own: it is Mei who is looked at.
    fn ways(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let mut ways = BTreeMap::from([("Query".to_owned(), Vec::new())]);
        let mut open = VecDeque::from(["Query".to_owned()]);
        while let Some(ty) = open.pop_front() {
            for field in self.objects[&ty].iter().filter(|field| ty == "Person" || !OWN.contains(&field.name.as_str()))
            {
                let by_id = ty == "Query" && ["node", "nodes"].contains(&field.name.as_str());
                for next in field.leads_to.iter().flat_map(|ty| &self.possible[ty]) {
                    if !ways.contains_key(next) && (!by_id || KNOWN.contains(&next.as_str())) {
                        let mut way: Vec<_> = ways[&ty].clone();
                        way.push((field.name.clone(), next.clone()));
                        ways.insert(next.clone(), way);
                        open.push_back(next.clone());
                    }
                }
            }
        }
        ways
    }
}

fn named(ty: &Value) -> (&str, &str) {
    match ty["kind"].as_str().unwrap() {
        "LIST" | "NON_NULL" => named(&ty["ofType"]),
        kind => (kind, ty["name"].as_str().unwrap()),
    }
}

fn field(field: &Value) -> Field {
    let (kind, name) = named(&field["type"]);
    let arguments = field["args"].as_array().unwrap();
    Field {
        name: field["name"].as_str().unwrap().to_owned(),
        leads_to: matches!(kind, "OBJECT" | "INTERFACE" | "UNION").then(|| name.to_owned()),
        needs: arguments
            .iter()
            .filter(|argument| argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null())
            .map(|argument| (argument["name"].as_str().unwrap().to_owned(), named(&argument["type"]).1.to_owned()))
            .collect(),
        is_paged: arguments.iter().any(|argument| argument["name"] == "first"),
    }
}

/// Fields that lead to what is the viewer's own, or that are for some viewers only.
const OWN: &[&str] = &["me", "myEnrolment", "myPlaceInLine", "myInvitation", "myReview", "cases", "account"];

/// The types of which the school knows an id by key; to others the way is longer.
const KNOWN: &[&str] = &[
    "Course",
    "Lesson",
    "Enrolment",
    "Thread",
    "Post",
    "Person",
    "Report",
    "Announcement",
    "Notification",
    "Conversation",
    "Message",
];

/// Of a thread or forum what is the viewer's own: she sees it whoever she is, if she sees the forum.
const VIEWERS_OWN: &[&str] = &["Forum.unreadThreads", "Thread.unreadCount", "Thread.viewerReadUpTo"];

/// The kinds of viewers that take part in the conversation which is looked at.
const CORRESPONDENTS: &[&str] = &["herself", "instructor", "instructor, she left"];

/// What is looked at: Mei, in *Living Soil*.
struct Subject {
    school: School,
}

impl Subject {
    /// The arguments of a field. Whoever adds a required argument says here what it is to be.
    fn arguments(&self, field: &Field, leads_to: Option<&str>) -> String {
        let quoted = |text: &str| format!("{text:?}");
        let mut given: Vec<String> = Vec::new();
        for (name, _) in &field.needs {
            let value = match (field.name.as_str(), name.as_str()) {
                ("node", "id") => quoted(&self.node(leads_to.unwrap_or("Person"))),
                ("nodes", "ids") => format!("[{}]", quoted(&self.node(leads_to.unwrap_or("Person")))),
                ("course", "slug") => quoted("living-soil"),
                ("whyNot", "courseId") => quoted(&self.school.course("sol")),
                ("access", "learner") => quoted(&self.school.person_node("mei")),
                ("account", "email") => quoted("mei@school.example"),
                ("mentionable", "prefix") => quoted(""),
                ("explainCost", "document") => quoted("{ topics { slug } }"),
                ("search" | "searchForums", "text") => quoted("soil"),
                (field, argument) => panic!("say what {field}({argument}:) is to be in the matrix test"),
            };
            given.push(format!("{name}: {value}"));
        }
        if field.is_paged {
            given.push("first: 5".to_owned());
        }
        if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) }
    }

    fn node(&self, ty: &str) -> String {
        let school = &self.school;
        match ty {
            "Course" => school.course("soil"),
            "Lesson" => school.lesson("soil-1"),
            "Enrolment" => school.enrolment("mei", "soil"),
            "Thread" => school.thread("soil", "t2"),
            "Post" => school.post("soil", "p5"),
            "Report" => global_id::report(CourseId::imported(SCHOOL, "soil"), Uuid::from_u128(2).into()),
            "Announcement" => school.announcement("soil", 20),
            "Notification" => school.notification("mei", 20),
            "Conversation" => global_id::conversation(CourseId::imported(SCHOOL, "soil"), Uuid::from_u128(0x20).into()),
            "Message" => global_id::message(CourseId::imported(SCHOOL, "soil"), Uuid::from_u128(0x21).into()),
            _ => school.person_node("mei"),
        }
    }

    /// The way to a type as a query around `inner`.
    fn query(&self, schema: &Schema, way: &[(String, String)], inner: &str) -> String {
        let mut text = inner.to_owned();
        for (at, (name, ty)) in way.iter().enumerate().rev() {
            let on = if at == 0 { "Query" } else { &way[at - 1].1 };
            let field = schema.objects[on].iter().find(|field| field.name == *name).unwrap();
            let is_abstract = field.leads_to.as_ref().is_some_and(|declared| declared != ty);
            text = if is_abstract { format!("{{ ... on {ty} {text} }}") } else { text };
            text = format!("{{ {name}{} {text} }}", self.arguments(field, Some(ty)));
        }
        text
    }
}

/// The first value at the end of a way; null if something before it is.
fn at<'a>(mut value: &'a Value, way: &[(String, String)]) -> &'a Value {
    for (name, _) in way {
        value = first(&value[name]);
    }
    value
}

fn first(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.iter().find(|item| !item.is_null()).map_or(&Value::Null, first),
        value => value,
    }
}

type Kind = (&'static str, &'static [Relation], &'static [Relation], &'static [Relation]);

/// The kinds of viewers, and what each is to Mei as a whole, to Mei in *Living Soil*, and to that course's talk and sums.
const VIEWERS: &[Kind] = &[
    ("herself", &[Relation::Oneself], &[Relation::Oneself], &[Relation::Classmate]),
    (
        "instructor",
        &[Relation::Staff],
        &[Relation::Staff, Relation::Moderator],
        &[Relation::Staff, Relation::Moderator],
    ),
    ("assistant", &[Relation::Staff], &[Relation::Staff], &[Relation::Staff]),
    (
        "instructor, she left",
        &[Relation::Staff],
        &[Relation::FormerStaff, Relation::Moderator],
        &[Relation::Staff, Relation::Moderator],
    ),
    ("instructor elsewhere", &[], &[], &[]),
    ("classmate", &[Relation::Classmate], &[Relation::Classmate], &[Relation::Classmate]),
    ("learner elsewhere", &[], &[], &[]),
    ("support", &[Relation::Support], &[Relation::Support], &[]),
    (
        "support with a case",
        &[Relation::Support, Relation::CaseHolder],
        &[Relation::Support, Relation::CaseHolder],
        &[],
    ),
    ("analyst", &[Relation::Analyst], &[Relation::Analyst], &[Relation::Analyst]),
    ("administrator", &[Relation::Administrator], &[Relation::Administrator], &[Relation::Administrator]),
    ("instructor's token to read", &[], &[], &[]),
    ("instructor without the second factor that is asked for", &[], &[], &[]),
    ("nobody", &[], &[], &[]),
];

/// Fills in what the school's files don't say of Mei: she signs in, has a second factor, a token, preferences, and was
/// looked at under a case.
async fn fill_in(school: &School) {
    let app = &school.app;
    let mei = school.id_of("mei");
    let password = "eleven quiet otters";
    app.sign_in.set_password(mei, password).await.unwrap().unwrap();
    let proof = Proof { email: "mei@school.example".to_owned(), password: password.to_owned(), code: None };
    app.sign_in.sign_in(&proof, &Origin::default()).await.unwrap().unwrap();
    school.execute(MEI).await;
    let kim = app
        .accounts
        .create(NewAccount { name: "Kim".to_owned(), email: "kim@school.example".to_owned() })
        .await
        .unwrap();
    app.accounts.command_role(kim, SystemRole::Support, true).await.unwrap();
    open_case(school, kim).await;
    app.feed.train(stoa_recommender::Settings::default(), |_| {}).await.unwrap();
    app.feed.refresh().await.unwrap();
    let sol = CourseId::imported(SCHOOL, "sol");
    app.feed.give_feedback(mei, (sol, FeedbackKind::Like), None).await.unwrap().unwrap();
}

/// A case about Mei that opens all that a case can.
async fn open_case(school: &School, holder: AccountId) {
    let case = NewCase {
        person: school.id_of("mei"),
        reason: "She can't find her course.".to_owned(),
        ticket: "T-1".to_owned(),
        categories: access::case_categories().collect(),
        minutes: 60,
    };
    let viewer = Viewer::new(holder, Credential::command_line());
    school.app.cases.open(&viewer, case).await.unwrap().unwrap();
}

/// A token of Ana's that is made for reading only.
async fn narrow_token(school: &School) -> Client {
    let query = "mutation { createToken(input: { label: \"narrow\", scopes: [READ], days: 1 }) { secret } }";
    let data = school.person("ana").await.data(query).await;
    school.anybody().with_token(data["createToken"]["secret"].as_str().unwrap())
}

/// Ana in a browser, where the staff of courses needs a second factor that she did not show.
async fn without_second_factor(school: &School) -> Client {
    let password = "twelve noisy herons";
    school.app.sign_in.set_password(school.id_of("ana"), password).await.unwrap().unwrap();
    let browser = school.anybody().browser();
    let query = "mutation($password: String!) { signIn(input: { email: \"ana@school.example\", password: $password }) { accountId userErrors { code } } }";
    browser.data_with(query, json!({ "password": password })).await;
    browser
}

/// A school in which every field about Mei has a value, so that `null` means that it is held back.
async fn school(viewer: &str) -> (Subject, Client) {
    let arms = vec![ArmSettings { name: "all".to_owned(), weight: 1.0, engine: None }];
    let experiment = ExperimentSettings { name: "matrix".to_owned(), arms, ..ExperimentSettings::default() };
    let mut settings = Settings { experiment, ..Settings::default() };
    if viewer.contains("second factor") {
        settings.rules = Rules { two_factor_for: [Relation::Staff].into_iter().collect(), ..Rules::default() };
    }
    let school = School::open(Database::sqlite()).await.under(settings).await;
    fill_in(&school).await;
    let grant = async |role| school.grant("zoe", role).await;
    let client = match viewer {
        "herself" => school.person("mei").await,
        "instructor" => school.person("ana").await,
        "assistant" => school.person("bo").await,
        "instructor, she left" => {
            school.execute("UPDATE enrolments SET left_at = 1772000000000000").await;
            school.person("ana").await
        }
        "instructor elsewhere" => {
            school.execute("DELETE FROM course_staff WHERE role = 'ASSISTANT'").await;
            school.person("bo").await
        }
        "classmate" => school.person("omar").await,
        "learner elsewhere" => school.person("zoe").await,
        "support" => {
            grant(SystemRole::Support).await;
            school.person("zoe").await
        }
        "support with a case" => {
            grant(SystemRole::Support).await;
            open_case(&school, school.id_of("zoe")).await;
            school.person("zoe").await
        }
        "instructor's token to read" => narrow_token(&school).await,
        "instructor without the second factor that is asked for" => without_second_factor(&school).await,
        "analyst" => {
            grant(SystemRole::Analyst).await;
            school.person("zoe").await
        }
        "administrator" => {
            grant(SystemRole::Administrator).await;
            school.person("zoe").await
        }
        _ => school.anybody().clone(),
    };
    (Subject { school }, client)
}

/// What a viewer finds at each field: `+` a value, `o` none, `-` held back and named, `x` refused,
/// `.` nothing to ask there.
async fn column(viewer: &str) -> BTreeMap<String, char> {
    let (subject, client) = school(viewer).await;
    let schema = Schema::read(&client).await;
    let mut found = BTreeMap::new();
    for (ty, way) in schema.ways() {
        for field in &schema.objects[&ty] {
            let below = if field.leads_to.is_some() { " { __typename }" } else { "" };
            let inner = format!("{{ {}{}{below} }}", field.name, subject.arguments(field, None));
            let answer = client.ask(&subject.query(&schema, &way, &inner)).await;
            let name = format!("{ty}.{}", field.name);
            if let Some(error) = answer["errors"].get(0) {
                let code = error["extensions"]["code"].as_str().unwrap_or_default();
                assert!(
                    ["FORBIDDEN", "SCOPE_NEEDED", "UNAUTHENTICATED"].contains(&code),
                    "{viewer}, {name}: {answer:#}"
                );
                found.insert(name, 'x');
                continue;
            }
            let parent = at(&answer["data"], &way);
            let redactions = answer["extensions"]["redactions"].as_array().cloned().unwrap_or_default();
            let is_held_back = redactions.iter().any(|entry| entry["field"] == name.as_str());
            let sign = match (parent.get(&field.name), is_held_back) {
                (None, _) => '.',
                (Some(Value::Null), true) => '-',
                (Some(value), true) => panic!("{viewer}, {name} is held back and is {value}"),
                (Some(Value::Null), false) => 'o',
                (Some(_), false) => '+',
            };
            found.insert(name, sign);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_shows_to_every_kind_of_viewer_what_the_table_says() {
    let mut columns = Vec::new();
    for (viewer, ..) in VIEWERS {
        columns.push(Box::pin(column(viewer)).await);
    }
    let personal: HashMap<String, Category> =
        access::FIELDS.iter().map(|(ty, name, category)| (format!("{ty}.{name}"), *category)).collect();
    let reached: HashSet<_> = columns[0].keys().cloned().collect();
    for name in personal.keys() {
        assert!(reached.contains(name), "{name} is a field of the policy that no way leads to");
    }

    // What is found agrees with the policy's table, field by field and relation by relation.
    for ((viewer, anywhere, in_course, to_course), column) in VIEWERS.iter().zip(&columns) {
        for (name, sign) in column {
            let Some(category) = personal.get(name) else { continue };
            let relations: &[Relation] = match name.split('.').next() {
                // A class is for whoever may look at its learners.
                _ if name == "Course.learners" && !anywhere.contains(&Relation::Staff) => &[],
                // The report at hand is Ana's own, with whatever she comes.
                _ if ["Report.mine", "Report.outcome"].contains(&name.as_str()) && viewer.starts_with("instructor") => {
                    &[Relation::Oneself]
                }
                Some("Course" | "EnrolmentSettings" | "Review") => to_course,
                _ if matches!(category, Category::Communication | Category::Statistics | Category::Class) => to_course,
                // What a moderator did to a post is for its author, too.
                Some(of) if *category == Category::Moderation && of != "Post" => to_course,
                _ if VIEWERS_OWN.contains(&name.as_str()) => &[Relation::Oneself],
                Some("Conversation" | "Message") if CORRESPONDENTS.contains(viewer) => &[Relation::Correspondent],
                Some("Conversation" | "Message") => &[],
                _ if category.is_of_a_course() => in_course,
                _ => anywhere,
            };
            let may =
                relations.iter().chain([&Relation::Stranger]).any(|relation| access::may_see(*relation, *category));
            match sign {
                '+' | 'o' => assert!(may, "{viewer} sees {name}"),
                '-' => assert!(!may, "{viewer} does not see {name}"),
                _ => {}
            }
        }
    }

    let mut table = String::from(
        "# +  a value   o  null, since there is none   -  held back, and named in the answer   x  refused   .  what it is on is not there\n",
    );
    table += &format!("#{}\n", VIEWERS.iter().map(|(viewer, ..)| format!(" {viewer}")).collect::<Vec<_>>().join(" |"));
    for name in columns[0].keys() {
        let signs: String = columns.iter().map(|column| column[name]).collect();
        // This school has no provider (`oidc.rs` has one), and its question about costs hits no limit (`limits.rs` has one that does).
        assert!(
            signs.contains(['+', 'o', '-'])
                || ["SignInProvider.", "LimitHit."].iter().any(|type_| name.starts_with(type_)),
            "nobody reaches {name} ({signs}): the school of this test needs one"
        );
        let category = personal.get(name).map_or("", |category| category.as_str());
        table += format!("{signs}  {name:<44} {category}").trim_end();
        table.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/matrix.txt");
    if env::var_os("UPDATE_MATRIX").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    for line in table.lines() {
        assert!(
            committed.lines().any(|known| known == line),
            "tests/stories/matrix.txt does not say\n\n{line}\n\nIf that is right: UPDATE_MATRIX=1 cargo test matrix"
        );
    }
    assert_eq!(committed, table, "tests/stories/matrix.txt has lines that are not so any more");
}
