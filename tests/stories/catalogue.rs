//! Finding courses.

use serde_json::{Value, json};
use stoa_testkit::{School, story};

/// The titles of a connection's nodes.
fn titles(connection: &Value) -> Vec<&str> {
    connection["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap()).collect()
}

async fn listed(school: &School, arguments: &str) -> Vec<String> {
    let data = school.anybody().data(&format!("{{ courses({arguments}) {{ nodes {{ title }} }} }}")).await;
    titles(&data["courses"]).into_iter().map(str::to_owned).collect()
}

story! {
    async fn a_visitor_reads_a_course_with_all_that_is_in_it(school) {
        let data = school.anybody().data(
            "{ course(slug: \"compost-step-by-step\") {
                 title language level seconds lessonCount publishedAt learnerCount rating { average count }
                 topics { slug } prerequisites { slug } staff { role person { name } }
                 modules { title position lessons { title kind seconds position } } } }",
        ).await;
        assert_eq!(data["course"], json!({
            "title": "Compost, Step by Step", "language": "en", "level": "INTERMEDIATE", "seconds": 3000, "lessonCount": 4,
            "publishedAt": "2025-10-15T08:00:00Z", "learnerCount": 2, "rating": { "average": null, "count": 1 },
            "topics": [{ "slug": "gardening" }], "prerequisites": [{ "slug": "living-soil" }],
            "staff": [{ "role": "INSTRUCTOR", "person": { "name": "Ana Pereira" } }],
            "modules": [
                { "title": "Before you start", "position": 0, "lessons": [
                    { "title": "What goes in", "kind": "VIDEO", "seconds": 360, "position": 0 },
                    { "title": "A place for the heap", "kind": "READING", "seconds": 240, "position": 1 } ] },
                { "title": "The season", "position": 1, "lessons": [
                    { "title": "Turn it and wait", "kind": "EXERCISE", "seconds": 2400, "position": 0 },
                    { "title": "The local composting guide", "kind": "LINK", "seconds": null, "position": 1 } ] },
            ],
        }));
    }

    async fn courses_are_found_by_topic_level_language_and_words(school) {
        assert_eq!(listed(&school, "first: 9, filter: { topics: [\"biology\"] }").await, ["Le sol vivant", "Living Soil"]);
        assert_eq!(listed(&school, "first: 9, filter: { topics: [\"biology\"], language: \"fr\" }").await, ["Le sol vivant"]);
        assert_eq!(listed(&school, "first: 9, filter: { levels: [INTERMEDIATE, ADVANCED] }").await, ["Compost, Step by Step"]);
        assert_eq!(listed(&school, "first: 9, filter: { text: \"SOIL scraps\" }").await, ["Compost, Step by Step"]);
        assert!(listed(&school, "first: 9, filter: { text: \"100%\" }").await.is_empty());
        assert!(listed(&school, "first: 9, filter: { text: \"_\" }").await.is_empty(), "a word is not a pattern");
        assert!(listed(&school, "first: 9, filter: { topics: [] }").await.is_empty());
    }

    async fn a_draft_is_known_to_nobody_but_its_staff(school) {
        school.execute("UPDATE courses SET status = 'DRAFT' WHERE slug = 'le-sol-vivant'").await;
        let query = "query($course: ID!, $lesson: ID!) { course(slug: \"le-sol-vivant\") { title forum { categories { name } } }
            nodes(ids: [$course, $lesson]) { id } courses(first: 9, filter: { language: \"fr\" }) { nodes { title } } }";
        let variables = json!({ "course": school.course("sol"), "lesson": school.lesson("sol-1") });
        for client in [school.anybody().clone(), school.person("omar").await] {
            let data = client.data_with(query, variables.clone()).await;
            assert_eq!(data, json!({ "course": null, "nodes": [null, null], "courses": { "nodes": [] } }));
        }
        let bo = school.person("bo").await.data_with(query, variables.clone()).await;
        assert_eq!(bo["course"]["title"], "Le sol vivant", "he teaches it");
        assert_eq!(bo["nodes"][1]["id"], variables["lesson"]);
        let enroll = "mutation($course: ID!) { enroll(courseId: $course) { userErrors { code } } }";
        let data = school.person("omar").await.data_with(enroll, variables).await;
        assert_eq!(data["enroll"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
    }

    async fn a_topic_that_is_only_somebodys_goal_is_not_public(school) {
        school.execute("UPDATE courses SET status = 'DRAFT' WHERE slug <> 'compost-step-by-step'").await;
        let data = school.anybody().data("{ topics { slug } }").await;
        assert_eq!(data["topics"], json!([{ "slug": "gardening" }]), "Mei's goal, biology, has no course now");
        let mei = school.person("mei").await.data("{ me { goals { slug } } }").await;
        assert_eq!(mei["me"]["goals"].as_array().unwrap().len(), 2);
    }

    async fn a_search_for_a_whole_book_is_refused(school) {
        let query = "query($text: String) { courses(first: 1, filter: { text: $text }) { nodes { id } } }";
        let answer = school.anybody().ask_with(query, json!({ "text": "soil ".repeat(1_000) })).await;
        assert_eq!(answer["errors"][0]["message"], "`text` takes at most 500 characters; these were 5000");
        let answer = school.anybody().ask_with(query, json!({ "text": "soil ".repeat(20) })).await;
        assert_eq!(answer["errors"][0]["message"], "`text` takes at most 16 words; these were 20");
    }

    async fn courses_come_in_the_order_that_is_asked_for(school) {
        assert_eq!(listed(&school, "first: 9").await, ["Compost, Step by Step", "Le sol vivant", "Living Soil"]);
        assert_eq!(listed(&school, "first: 9, orderBy: NEWEST").await, ["Le sol vivant", "Compost, Step by Step", "Living Soil"]);
        assert_eq!(listed(&school, "first: 9, orderBy: SHORTEST").await, ["Le sol vivant", "Compost, Step by Step", "Living Soil"]);
        assert_eq!(listed(&school, "last: 2, orderBy: SHORTEST").await, ["Compost, Step by Step", "Living Soil"]);
    }

    async fn paging_forth_and_back_meets_every_course_once(school) {
        for order in ["TITLE", "NEWEST", "SHORTEST"] {
            let all = listed(&school, &format!("first: 9, orderBy: {order}")).await;
            for (bound, from, edge) in [("first", "after", "endCursor"), ("last", "before", "startCursor")] {
                let (mut met, mut cursor) = (Vec::new(), Value::Null);
                for step in 0..3 {
                    let query = format!(
                        "query($cursor: String) {{ courses({bound}: 1, {from}: $cursor, orderBy: {order}) {{
                           nodes {{ title }} pageInfo {{ hasNextPage hasPreviousPage {edge} }} }} }}"
                    );
                    let data = school.anybody().data_with(&query, json!({ "cursor": cursor })).await;
                    let page = &data["courses"];
                    met.extend(titles(page).into_iter().map(str::to_owned));
                    cursor = page["pageInfo"][edge].clone();
                    let (ahead, behind) = if bound == "first" { ("hasNextPage", "hasPreviousPage") } else { ("hasPreviousPage", "hasNextPage") };
                    assert_eq!(page["pageInfo"][ahead], json!(step < 2), "{order} {bound} {step}");
                    assert_eq!(page["pageInfo"][behind], json!(step > 0), "{order} {bound} {step}");
                }
                if bound == "last" {
                    met.reverse();
                }
                assert_eq!(met, all, "{order} {bound}");
            }
        }
    }

    async fn a_cursor_of_another_list_is_refused(school) {
        let data = school.anybody().data("{ courses(first: 1) { pageInfo { endCursor } } }").await;
        let cursor = &data["courses"]["pageInfo"]["endCursor"];
        let query = "query($cursor: String) { courses(first: 1, after: $cursor, orderBy: NEWEST) { nodes { title } } }";
        let answer = school.anybody().ask_with(query, json!({ "cursor": cursor })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer["errors"][0]["message"], "`after` is not a cursor of this list in this order");
    }

    async fn a_list_without_a_bound_says_what_is_missing(school) {
        let answer = school.anybody().ask("{ courses { nodes { title } } topics { slug } }").await;
        assert_eq!(answer["errors"][0]["message"], "say how many you want: `first` or `last`, at most 100");
        assert_eq!(answer["data"]["courses"], Value::Null);
        assert_eq!(answer["data"]["topics"][0]["slug"], "biology", "its neighbour lives");
    }

    async fn things_are_found_again_by_their_ids(school) {
        let ids = [school.course("soil"), school.lesson("soil-1"), "nothing".to_owned()];
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Course { title } ... on Lesson { title module { title } } } }";
        let answer = school.anybody().ask_with(query, json!({ "ids": ids })).await;
        assert_eq!(answer["data"]["nodes"], json!([
            { "__typename": "Course", "id": ids[0], "title": "Living Soil" },
            { "__typename": "Lesson", "id": ids[1], "title": "A handful of soil", "module": { "title": "What soil is" } },
            null,
        ]));
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
        assert_eq!(answer["errors"][0]["path"], json!(["nodes", 2]));
    }
}
