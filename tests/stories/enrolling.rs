//! Who may take a course: seats, the line for them, invitations, cohorts; leaving and coming back.

use serde_json::{Value, json};
use stoa_api::{accounts::model::NewAccount, ids::AccountId};
use stoa_testkit::{Client, School, story};

const ENROLL: &str = "mutation($input: EnrollInput!) { enroll(input: $input) {
    enrolment { enrolledAt leftAt progress cohort { name } history { kind at } } placeInLine { place since course { slug } }
    userErrors { code message path } } }";
const SETTINGS: &str = "mutation($input: UpdateEnrolmentSettingsInput!) { updateEnrolmentSettings(input: $input) {
    course { enrolment { mode seats seatsLeft opensAt closesAt version waiting } } userErrors { code path } } }";
const INVITE: &str = "mutation($input: CreateInvitationInput!) { createInvitation(input: $input) {
    code invitation { id label uses used expiresAt revokedAt person { name } cohort { name } } userErrors { code path } } }";
const COHORT: &str = "mutation($input: CreateCohortInput!) { createCohort(input: $input) {
    cohort { id name startsAt endsAt closedAt version } userErrors { code path } } }";
const LINE: &str = "{ course(slug: \"le-sol-vivant\") { myPlaceInLine { place } myEnrolment { progress } enrolment { seatsLeft waiting } } }";

async fn run(client: &Client, query: &str, name: &str, input: Value) -> Value {
    client.data_with(query, json!({ "input": input })).await[name].clone()
}

async fn enroll(school: &School, client: &Client, course: &str) -> Value {
    run(client, ENROLL, "enroll", json!({ "courseId": school.course(course) })).await
}

async fn come(school: &School, client: &Client, course: &str, code: &str) -> Value {
    let input = json!({ "courseId": school.course(course), "invitationCode": code });
    run(client, ENROLL, "enroll", input).await
}

async fn leave(school: &School, client: &Client, course: &str) -> Value {
    let query = "mutation($course: ID!) { leaveCourse(courseId: $course) { userErrors { code } } }";
    client.data_with(query, json!({ "course": school.course(course) })).await["leaveCourse"]["userErrors"].clone()
}

/// Bo decides how his course takes learners.
async fn decide(school: &School, bo: &Client, mut settings: Value) -> Value {
    let read = bo.data("{ course(slug: \"le-sol-vivant\") { enrolment { version } } }").await;
    settings["courseId"] = json!(school.course("sol"));
    settings["version"] = read["course"]["enrolment"]["version"].clone();
    run(bo, SETTINGS, "updateEnrolmentSettings", settings).await
}

async fn invite(school: &School, bo: &Client, mut input: Value) -> Value {
    input["courseId"] = json!(school.course("sol"));
    run(bo, INVITE, "createInvitation", input).await
}

async fn newcomer(school: &School, number: usize) -> (AccountId, Client) {
    let new = NewAccount { name: format!("Learner {number}"), email: format!("l{number}@school.example") };
    let account = school.app.accounts.create(new).await.expect("an account");
    let token = school.app.accounts.issue_token(account, "test", None).await.expect("a token");
    (account, school.anybody().with_token(token.secret_text()))
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{payload:#}"))
}

story! {
    async fn fifty_want_ten_seats_at_once_and_ten_have_one(school) {
        let bo = school.person("bo").await;
        // Zoe has one of the eleven.
        decide(&school, &bo, json!({ "mode": "OPEN", "seats": 11 })).await;
        let mut clients = Vec::new();
        for number in 0..50 {
            clients.push(newcomer(&school, number).await.1);
        }
        let answers = futures_util::future::join_all(clients.iter().map(|client| enroll(&school, client, "sol"))).await;
        let enrolled = answers.iter().filter(|payload| !payload["enrolment"].is_null()).count();
        let mut places: Vec<_> = answers.iter().filter_map(|payload| payload["placeInLine"]["place"].as_i64()).collect();
        assert_eq!((enrolled, places.len()), (10, 40), "{answers:#?}");
        let data = bo.data("{ course(slug: \"le-sol-vivant\") { learnerCount enrolment { seatsLeft waiting } } }").await;
        assert_eq!(data["course"], json!({ "learnerCount": 11, "enrolment": { "seatsLeft": 0, "waiting": 40 } }));
        // The places that they have now are 1 to 40; when they were given, others may not have been there yet.
        places.clear();
        for client in &clients {
            places.extend(client.data(LINE).await["course"]["myPlaceInLine"]["place"].as_i64());
        }
        places.sort_unstable();
        assert_eq!(places, (1..=40).collect::<Vec<_>>());

        // All who have a seat leave at once, while others leave the line.
        let out = "mutation($course: ID!) { leaveWaitingList(input: { courseId: $course }) { userErrors { code } } }";
        let course = json!({ "course": school.course("sol") });
        let all = clients.iter().zip(&answers).map(async |(client, payload)| {
            if payload["enrolment"].is_null() { client.data_with(out, course.clone()).await } else { leave(&school, client, "sol").await }
        });
        futures_util::future::join_all(all).await;
        let data = bo.data("{ course(slug: \"le-sol-vivant\") { learners(first: 99) { nodes { leftAt } } enrolment { seatsLeft waiting } } }").await;
        let class = data["course"]["learners"]["nodes"].as_array().unwrap();
        let there = class.iter().filter(|node| node["leftAt"].is_null()).count();
        assert_eq!(data["course"]["enrolment"], json!({ "seatsLeft": 11 - there, "waiting": 0 }), "the sums agree with the facts");
        assert!((1..=11).contains(&there));
    }

    async fn a_line_through_its_life(school) {
        let bo = school.person("bo").await;
        let (mei, omar) = (school.person("mei").await, school.person("omar").await);
        let payload = decide(&school, &bo, json!({ "mode": "OPEN", "seats": 1 })).await;
        assert_eq!(payload["course"]["enrolment"], json!({
            "mode": "OPEN", "seats": 1, "seatsLeft": 0, "opensAt": null, "closesAt": null, "version": 2, "waiting": 0,
        }));
        let first = enroll(&school, &mei, "sol").await;
        assert_eq!(first, json!({
            "enrolment": null, "userErrors": [],
            "placeInLine": { "place": 1, "since": "2026-03-02T09:00:00Z", "course": { "slug": "le-sol-vivant" } },
        }));
        assert_eq!(enroll(&school, &mei, "sol").await, first, "doing it again changes nothing");
        let unwilling = run(&omar, ENROLL, "enroll", json!({ "courseId": school.course("sol"), "wait": false })).await;
        assert_eq!((code(&unwilling), &unwilling["placeInLine"]), ("COURSE_FULL", &Value::Null));
        assert_eq!(enroll(&school, &omar, "sol").await["placeInLine"]["place"], 2);

        // Each sees her own place; the staff sees how many there are; nobody else sees anything.
        assert_eq!(mei.data("{ me { waitingFor(first: 9) { nodes { place course { slug } } } } }").await["me"]["waitingFor"]["nodes"],
            json!([{ "place": 1, "course": { "slug": "le-sol-vivant" } }]));
        assert_eq!(bo.data(LINE).await["course"]["enrolment"], json!({ "seatsLeft": 0, "waiting": 2 }));
        let answer = omar.ask(LINE).await;
        assert_eq!(answer["data"]["course"], json!({ "myPlaceInLine": { "place": 2 }, "myEnrolment": null, "enrolment": { "seatsLeft": 0, "waiting": null } }));
        assert_eq!(answer["extensions"]["redactions"][0]["field"], "EnrolmentSettings.waiting");
        let as_staff = mei.with_header("stoa-seen-as", &format!("STAFF {}", school.course("sol")));
        assert_eq!(as_staff.ask(LINE).await["data"]["course"]["myPlaceInLine"], Value::Null, "her instructors don't see it");

        // Zoe leaves: the seat is Mei's.
        school.clock.advance(60);
        assert_eq!(leave(&school, &school.person("zoe").await, "sol").await, json!([]));
        let data = mei.data(LINE).await;
        assert_eq!((&data["course"]["myPlaceInLine"], &data["course"]["myEnrolment"]), (&Value::Null, &json!({ "progress": 0.0 })));
        assert_eq!(omar.data(LINE).await["course"]["myPlaceInLine"]["place"], 1);
        assert_eq!(notified(&school, "SEAT_OFFERED").await, 1);

        // Zoe comes back to the end of the line, and Omar leaves it.
        assert_eq!(enroll(&school, &school.person("zoe").await, "sol").await["placeInLine"]["place"], 2);
        let out = "mutation($course: ID!) { leaveWaitingList(input: { courseId: $course }) { course { slug } userErrors { code path } } }";
        let course = json!({ "course": school.course("sol") });
        assert_eq!(omar.data_with(out, course.clone()).await["leaveWaitingList"], json!({ "course": { "slug": "le-sol-vivant" }, "userErrors": [] }));
        let again = omar.data_with(out, course).await;
        assert_eq!(again["leaveWaitingList"]["userErrors"], json!([{ "code": "NOT_FOUND", "path": ["input", "courseId"] }]));

        // More seats: Zoe has what she had.
        let payload = decide(&school, &bo, json!({ "mode": "OPEN" })).await;
        assert_eq!(payload["course"]["enrolment"]["waiting"], 0);
        assert_eq!(school.person("zoe").await.data(LINE).await["course"]["myEnrolment"]["progress"], 1.0);
        assert_eq!(notified(&school, "SEAT_OFFERED").await, 2);
    }

    async fn a_course_is_taken_in_its_time(school) {
        let (bo, mei) = (school.person("bo").await, school.person("mei").await);
        decide(&school, &bo, json!({ "mode": "OPEN", "seats": 1, "opensAt": "2026-03-03T09:00:00Z", "closesAt": "2026-03-05T09:00:00Z" })).await;
        let early = enroll(&school, &mei, "sol").await;
        assert_eq!(code(&early), "COURSE_CLOSED");
        assert_eq!(early["userErrors"][0]["message"], "this course can be taken from 2026-03-03T09:00:00Z on");
        school.clock.advance(86_400);
        assert_eq!(enroll(&school, &mei, "sol").await["placeInLine"]["place"], 1);
        school.clock.advance(2 * 86_400);
        assert_eq!(code(&enroll(&school, &school.person("omar").await, "sol").await), "COURSE_CLOSED");
        leave(&school, &school.person("zoe").await, "sol").await;
        assert_eq!(mei.data(LINE).await["course"]["myPlaceInLine"]["place"], 1, "after the last day nobody moves up");
        decide(&school, &bo, json!({ "mode": "OPEN", "seats": 1 })).await;
        assert_eq!(mei.data(LINE).await["course"]["myPlaceInLine"], Value::Null, "now she does");
    }

    async fn the_settings_are_the_instructors_and_of_two_changes_at_once_one_is_refused(school) {
        let bo = school.person("bo").await;
        let input = |course: &str, version: i64, more: Value| {
            let mut input = json!({ "courseId": school.course(course), "version": version, "mode": "OPEN" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let set = async |client: &Client, input: Value| run(client, SETTINGS, "updateEnrolmentSettings", input).await;
        assert_eq!(set(&bo, input("sol", 1, json!({ "seats": 5 }))).await["userErrors"], json!([]));
        let stale = set(&bo, input("sol", 1, json!({ "seats": 6 }))).await;
        assert_eq!(stale["userErrors"], json!([{ "code": "STALE_VERSION", "path": ["input", "version"] }]));
        assert_eq!(code(&set(&bo, input("sol", 2, json!({ "seats": 0 }))).await), "OUT_OF_RANGE");
        let backwards = json!({ "opensAt": "2026-04-01T00:00:00Z", "closesAt": "2026-03-01T00:00:00Z" });
        assert_eq!(set(&bo, input("sol", 2, backwards)).await["userErrors"], json!([{ "code": "OUT_OF_RANGE", "path": ["input", "closesAt"] }]));
        assert_eq!(code(&set(&bo, input("soil", 1, json!({}))).await), "NOT_ALLOWED", "Bo assists there only");
        assert_eq!(code(&set(&school.person("mei").await, input("soil", 1, json!({}))).await), "NOT_ALLOWED");
        assert_eq!(code(&set(&bo, input("nowhere", 1, json!({}))).await), "NOT_FOUND");
    }

    async fn a_code_opens_a_course_as_often_and_as_long_as_it_says(school) {
        let (bo, mei, omar) = (school.person("bo").await, school.person("mei").await, school.person("omar").await);
        decide(&school, &bo, json!({ "mode": "INVITATION" })).await;
        let none = enroll(&school, &mei, "sol").await;
        assert_eq!((code(&none), &none["userErrors"][0]["path"]), ("INVITATION_NEEDED", &json!(["input", "invitationCode"])));
        let plain = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code path } } }";
        let data = mei.data_with(plain, json!({ "course": school.course("sol") })).await;
        assert_eq!(data["enroll"]["userErrors"], json!([{ "code": "INVITATION_NEEDED", "path": ["invitationCode"] }]));

        let made = invite(&school, &bo, json!({ "label": "Spring", "uses": 1, "days": 2, "idempotencyKey": "k1" })).await;
        let secret = made["code"].as_str().unwrap().to_owned();
        assert_eq!(made["invitation"]["expiresAt"], "2026-03-04T09:00:00Z");
        let again = invite(&school, &bo, json!({ "label": "Spring", "uses": 1, "days": 2, "idempotencyKey": "k1" })).await;
        assert_eq!((&again["invitation"]["id"], &again["code"]), (&made["invitation"]["id"], &Value::Null), "a code is shown once");
        assert_eq!(code(&invite(&school, &bo, json!({ "uses": 2, "idempotencyKey": "k1" })).await), "IDEMPOTENCY_KEY_REUSED");

        assert_eq!(code(&come(&school, &mei, "sol", "ABCDE-FGHJK-MNPQR-STVWX").await), "NOT_FOUND");
        let zoe = school.person("zoe").await;
        assert_eq!(code(&come(&school, &zoe, "soil", &secret).await), "NOT_FOUND", "it is for another course");
        let typed = secret.to_lowercase().replace('-', " ");
        assert_eq!(come(&school, &mei, "sol", &typed).await["userErrors"], json!([]), "however it is typed");
        assert_eq!(code(&come(&school, &omar, "sol", &secret).await), "INVITATION_SPENT");

        let short = invite(&school, &bo, json!({ "uses": 5, "days": 1 })).await;
        school.clock.advance(86_400);
        assert_eq!(code(&come(&school, &omar, "sol", short["code"].as_str().unwrap()).await), "INVITATION_EXPIRED");

        let revoked = invite(&school, &bo, json!({ "uses": 5 })).await;
        let revoke = "mutation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { invitation { revokedAt } userErrors { code } } }";
        let id = json!({ "id": revoked["invitation"]["id"] });
        assert_eq!(omar.data_with(revoke, id.clone()).await["revokeInvitation"]["userErrors"][0]["code"], "NOT_FOUND", "it is not his");
        assert_eq!(bo.data_with(revoke, id.clone()).await["revokeInvitation"]["invitation"]["revokedAt"], "2026-03-03T09:00:00Z");
        assert_eq!(bo.data_with(revoke, id).await["revokeInvitation"]["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(code(&come(&school, &omar, "sol", revoked["code"].as_str().unwrap()).await), "INVITATION_REVOKED");

        let list = "{ course(slug: \"le-sol-vivant\") { invitations(first: 9) { nodes { label uses used } } } }";
        assert_eq!(bo.data(list).await["course"]["invitations"]["nodes"][2], json!({ "label": "Spring", "uses": 1, "used": 1 }));
        assert_eq!(mei.ask(list).await["data"]["course"]["invitations"], Value::Null);
    }

    async fn mei_is_invited_by_name_and_told(school) {
        let (ana, bo, mei) = (school.person("ana").await, school.person("bo").await, school.person("mei").await);
        decide(&school, &bo, json!({ "mode": "INVITATION" })).await;
        let invited = json!({ "personId": school.person_node("mei") });
        let made = invite(&school, &bo, invited.clone()).await;
        assert_eq!((&made["code"], &made["invitation"]["person"]["name"]), (&Value::Null, &json!("Mei Tanaka")));
        assert_eq!(notified(&school, "INVITED").await, 1);
        assert_eq!(code(&invite(&school, &bo, invited.clone()).await), "CONFLICT");
        assert_eq!(code(&invite(&school, &ana, invited).await), "NOT_ALLOWED", "Ana teaches other courses");
        // Whom Bo may not see he can't invite by name: the answer is as if there were nobody.
        let (stranger, _) = newcomer(&school, 1).await;
        let unseen = invite(&school, &bo, json!({ "personId": school.person_node_of(stranger) })).await;
        assert_eq!((code(&unseen), &unseen["userErrors"][0]["path"]), ("NOT_FOUND", &json!(["input", "personId"])));

        let mine = "{ course(slug: \"le-sol-vivant\") { myInvitation { since expiresAt } } }";
        assert_eq!(mei.data(mine).await["course"]["myInvitation"], json!({ "since": "2026-03-02T09:00:00Z", "expiresAt": "2026-04-01T09:00:00Z" }));
        assert_eq!(school.person("omar").await.data(mine).await["course"]["myInvitation"], Value::Null);
        let enrolment = enroll(&school, &mei, "sol").await["enrolment"].clone();
        assert_eq!(enrolment["progress"], 0.0);
        assert_eq!(mei.data(mine).await["course"]["myInvitation"], Value::Null, "it is used");
        assert_eq!(code(&invite(&school, &bo, json!({ "personId": school.person_node("mei") })).await), "CONFLICT", "she takes it");
    }

    async fn a_use_is_given_back_by_whoever_leaves_the_line(school) {
        let (bo, mei, omar) = (school.person("bo").await, school.person("mei").await, school.person("omar").await);
        decide(&school, &bo, json!({ "mode": "INVITATION", "seats": 1 })).await;
        let secret = invite(&school, &bo, json!({ "uses": 1 })).await["code"].as_str().unwrap().to_owned();
        assert_eq!(come(&school, &mei, "sol", &secret).await["placeInLine"]["place"], 1);
        assert_eq!(code(&come(&school, &omar, "sol", &secret).await), "INVITATION_SPENT");
        let out = "mutation($course: ID!) { leaveWaitingList(input: { courseId: $course }) { userErrors { code } } }";
        mei.data_with(out, json!({ "course": school.course("sol") })).await;
        assert_eq!(come(&school, &omar, "sol", &secret).await["placeInLine"]["place"], 1);
    }

    async fn a_cohort_is_made_joined_and_closed(school) {
        let (bo, mei, zoe) = (school.person("bo").await, school.person("mei").await, school.person("zoe").await);
        let make = async |input: Value| run(&bo, COHORT, "createCohort", input).await;
        let made = make(json!({ "courseId": school.course("sol"), "name": " Spring ", "startsAt": "2026-03-01T00:00:00Z", "idempotencyKey": "c" })).await;
        let cohort = made["cohort"].clone();
        assert_eq!((&cohort["name"], &cohort["startsAt"], &cohort["version"]), (&json!("Spring"), &json!("2026-03-01T00:00:00Z"), &json!(1)));
        assert_eq!(code(&make(json!({ "courseId": school.course("sol"), "name": " " })).await), "LENGTH");
        assert_eq!(code(&make(json!({ "courseId": school.course("soil"), "name": "x" })).await), "NOT_ALLOWED");

        let by_code = invite(&school, &bo, json!({ "cohortId": cohort["id"] })).await;
        let enrolment = come(&school, &mei, "sol", by_code["code"].as_str().unwrap()).await["enrolment"].clone();
        assert_eq!(enrolment["cohort"]["name"], "Spring", "she came by its invitation");
        let assign = "mutation($input: AssignCohortInput!) { assignCohort(input: $input) { enrolment { cohort { name } } userErrors { code } } }";
        let of_zoe = json!({ "enrolmentId": school.enrolment("zoe", "sol"), "cohortId": cohort["id"] });
        assert_eq!(run(&mei, assign, "assignCohort", of_zoe.clone()).await["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(run(&bo, assign, "assignCohort", of_zoe.clone()).await["enrolment"]["cohort"]["name"], "Spring");
        let elsewhere = json!({ "enrolmentId": school.enrolment("omar", "compost"), "cohortId": cohort["id"] });
        assert_eq!(code(&run(&bo, assign, "assignCohort", elsewhere).await), "NOT_FOUND");

        // The class by cohort. Whoever has left is in it still, as everything is that the staff keep of her.
        leave(&school, &zoe, "sol").await;
        let class = "query($cohort: ID) { course(slug: \"le-sol-vivant\") { learners(first: 9, cohort: $cohort, orderBy: PROGRESS) { nodes { learner { name } cohort { name } leftAt } } } }";
        let data = bo.data_with(class, json!({ "cohort": cohort["id"] })).await;
        assert_eq!(data["course"]["learners"]["nodes"], json!([
            { "learner": { "name": "Mei Tanaka" }, "cohort": { "name": "Spring" }, "leftAt": null },
            { "learner": { "name": "Zoe \"Zed\" Martin" }, "cohort": { "name": "Spring" }, "leftAt": "2026-03-02T09:00:00Z" },
        ]));
        let other = make(json!({ "courseId": school.course("sol"), "name": "Autumn" })).await["cohort"]["id"].clone();
        assert_eq!(bo.data_with(class, json!({ "cohort": other })).await["course"]["learners"]["nodes"], json!([]));
        // Those in it know of it, others don't.
        let node = "query($id: ID!) { node(id: $id) { ... on Cohort { name } } }";
        assert_eq!(mei.data_with(node, json!({ "id": cohort["id"] })).await["node"]["name"], "Spring");
        assert_eq!(mei.data_with(node, json!({ "id": other })).await["node"], Value::Null);
        assert_eq!(school.person("omar").await.data_with(node, json!({ "id": cohort["id"] })).await["node"], Value::Null);

        let update = "mutation($input: UpdateCohortInput!) { updateCohort(input: $input) { cohort { name version } userErrors { code } } }";
        let renamed = json!({ "cohortId": cohort["id"], "version": 1, "name": "Early spring" });
        assert_eq!(run(&bo, update, "updateCohort", renamed.clone()).await["cohort"], json!({ "name": "Early spring", "version": 2 }));
        assert_eq!(code(&run(&bo, update, "updateCohort", renamed).await), "STALE_VERSION");
        let close = "mutation($input: CloseCohortInput!) { closeCohort(input: $input) { cohort { closedAt } userErrors { code } } }";
        let closing = json!({ "cohortId": cohort["id"], "version": 2 });
        assert_eq!(run(&bo, close, "closeCohort", closing.clone()).await["cohort"]["closedAt"], "2026-03-02T09:00:00Z");
        assert_eq!(code(&run(&bo, close, "closeCohort", closing).await), "COHORT_CLOSED");
        assert_eq!(code(&run(&bo, assign, "assignCohort", of_zoe).await), "COHORT_CLOSED");
        assert_eq!(code(&invite(&school, &bo, json!({ "cohortId": cohort["id"] })).await), "COHORT_CLOSED");
        let none = json!({ "enrolmentId": school.enrolment("mei", "sol") });
        assert_eq!(run(&bo, assign, "assignCohort", none).await["enrolment"]["cohort"], Value::Null);
    }

    async fn omar_comes_and_goes_and_keeps_progress_and_history(school) {
        let omar = school.person("omar").await;
        for _ in 0..2 {
            school.clock.advance(3_600);
            assert_eq!(leave(&school, &omar, "soil").await, json!([]));
            school.clock.advance(3_600);
            enroll(&school, &omar, "soil").await;
        }
        let payload = enroll(&school, &omar, "soil").await;
        assert_eq!((&payload["enrolment"]["progress"], &payload["enrolment"]["enrolledAt"]), (&json!(0.25), &json!("2026-02-02T07:30:00Z")));
        let history = json!([
            { "kind": "ENROLLED", "at": "2026-02-02T07:30:00Z" },
            { "kind": "LEFT", "at": "2026-03-02T10:00:00Z" }, { "kind": "CAME_BACK", "at": "2026-03-02T11:00:00Z" },
            { "kind": "LEFT", "at": "2026-03-02T12:00:00Z" }, { "kind": "CAME_BACK", "at": "2026-03-02T13:00:00Z" },
        ]);
        assert_eq!(payload["enrolment"]["history"], history);
        let data = school.anybody().data("{ course(slug: \"living-soil\") { learnerCount enrolment { seatsLeft } } }").await;
        assert_eq!(data["course"]["learnerCount"], 2, "he is counted once");
        // His instructor sees the same, and a classmate nothing.
        let node = "query($id: ID!) { node(id: $id) { ... on Enrolment { history { kind at } } } }";
        let id = json!({ "id": school.enrolment("omar", "soil") });
        assert_eq!(school.person("ana").await.data_with(node, id.clone()).await["node"]["history"], history);
        assert_eq!(school.person("mei").await.data_with(node, id).await["node"], Value::Null);
        let soil = json!({ "id": school.enrolment("mei", "soil") });
        let kinds = school.person("mei").await.data_with(node, soil).await["node"]["history"].clone();
        assert_eq!(kinds[1]["kind"], "COMPLETED");
    }

    async fn who_left_an_invitation_only_course_may_come_back(school) {
        let (bo, zoe) = (school.person("bo").await, school.person("zoe").await);
        leave(&school, &zoe, "sol").await;
        decide(&school, &bo, json!({ "mode": "INVITATION" })).await;
        assert_eq!(enroll(&school, &zoe, "sol").await["enrolment"]["progress"], 1.0);
    }

    async fn what_was_imported_counts_for_the_seats(school) {
        let (bo, mei) = (school.person("bo").await, school.person("mei").await);
        let folder = School::fixture().with_file_name("evening");
        assert!(school.import(&folder).await.complete());
        let payload = decide(&school, &bo, json!({ "mode": "OPEN", "seats": 3 })).await;
        assert_eq!(payload["course"]["enrolment"]["seatsLeft"], 1, "Zoe and Gus take it");
        enroll(&school, &mei, "sol").await;
        assert_eq!(mei.data(LINE).await["course"]["enrolment"]["seatsLeft"], 0);
    }
}

/// How many notifications of a kind there are.
async fn notified(school: &School, kind: &'static str) -> i64 {
    let sql = "SELECT COUNT(*) FROM notifications WHERE kind = $1";
    if school.database.is_sqlite() {
        let pool = sqlx::SqlitePool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).bind(kind).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::PgPool::connect(&school.database.url).await.unwrap();
        sqlx::query_scalar(sql).bind(kind).fetch_one(&pool).await.unwrap()
    }
}
