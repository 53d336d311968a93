//! Finding what was said.

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use stoa_api::ids::CourseId;
use stoa_testkit::{Client, SCHOOL, School, story};

const SEARCH: &str = "query($text: String!, $kind: ThreadKind, $answered: Boolean, $mine: Boolean! = false, $first: Int = 20, $after: String, $last: Int, $before: String) {
    searchForums(text: $text, kind: $kind, answered: $answered, mine: $mine, first: $first, after: $after, last: $last, before: $before) {
        nodes { place thread { title } post { body } snippet { text isMatch } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

const IN_COURSE: &str =
    "query($slug: String!, $text: String!) { course(slug: $slug) { forum { search(text: $text, first: 20) {
    nodes { place thread { title } post { body } } } } } }";

/// What is found, title or post, in order.
async fn found(client: &Client, text: &str) -> Vec<String> {
    found_with(client, json!({ "text": text })).await
}

async fn found_with(client: &Client, variables: Value) -> Vec<String> {
    texts(&client.data_with(SEARCH, variables).await["searchForums"])
}

fn texts(page: &Value) -> Vec<String> {
    let hits = page["nodes"].as_array().unwrap().iter();
    hits.map(|hit| {
        if hit["place"] == "TITLE" {
            assert_eq!(hit["post"], Value::Null);
            format!("# {}", hit["thread"]["title"].as_str().unwrap())
        } else {
            hit["post"]["body"].as_str().unwrap().to_owned()
        }
    })
    .collect()
}

async fn begin(client: &Client, school: &School, course: &str, title: &str, body: &str) -> Value {
    let query = "mutation($course: ID!, $title: String!, $body: String!) { createThread(courseId: $course, input: { title: $title, body: $body }) {
        thread { id posts(first: 1) { nodes { id } } } userErrors { code } } }";
    let data = client.data_with(query, json!({ "course": school.course(course), "title": title, "body": body })).await;
    data["createThread"]["thread"].clone()
}

story! {
    async fn omar_finds_what_was_said_titles_first_and_then_the_newest(school) {
        let omar = school.person("omar").await;
        assert_eq!(found(&omar, "two").await, [
            "# Are two worms enough?",
            "Two is few. Count again after rain:\n\n- one spade, 20 cm deep\n- three places",
            "I counted **two** in a spade of soil.\n\nIs that too few?",
        ]);
        assert_eq!(found(&omar, "WORMS").await, ["# Are two worms enough?"]);
        assert_eq!(found(&omar, "spade count*").await.len(), 2, "words in any order, and the beginning of one");
        assert_eq!(found(&omar, "\"spade of soil\"").await.len(), 1);
        assert_eq!(found(&omar, "\"soil of spade\"").await, Vec::<String>::new());
        assert_eq!(found(&omar, "two -rain -worms").await, ["I counted **two** in a spade of soil.\n\nIs that too few?"]);
        assert_eq!(found(&omar, "-two").await, Vec::<String>::new(), "what must not be there is no search");
        assert_eq!(found(&omar, "coun").await, Vec::<String>::new(), "half a word is none, without a star");
        assert_eq!(found(&omar, "Omar Said").await, Vec::<String>::new(), "who wrote something is not searched");
    }

    async fn a_snippet_shows_what_was_looked_for_without_markup(school) {
        let data = school.person("omar").await.data_with(SEARCH, json!({ "text": "spade two -rain" })).await;
        assert_eq!(data["searchForums"]["nodes"][0]["snippet"], json!([
            { "text": "I counted ", "isMatch": false }, { "text": "two", "isMatch": true }, { "text": " in a ", "isMatch": false },
            { "text": "spade", "isMatch": true }, { "text": " of soil. Is that too few?", "isMatch": false },
        ]));
    }

    async fn accents_and_case_count_nowhere(school) {
        let zoe = school.person("zoe").await;
        begin(&zoe, &school, "sol", "L'Été à Ölands", "Crème brûlée, œuf, ŁÓDŹ, cafe\u{301}; ΑΘΗΝΑ и ЁЖ. Straße!").await;
        for text in ["ete", "ÉTÉ", "l'été", "e\u{301}te\u{301}", "olands"] {
            assert_eq!(found(&zoe, text).await, ["# L'Été à Ölands"], "{text}");
        }
        for text in ["creme BRULEE", "café", "CAFE", "łódź", "ŒUF", "αθηνα", "ёж", "straße", "brul*", "\"creme brulee\"", "Crème-Brûlée"] {
            assert_eq!(found(&zoe, text).await.len(), 1, "{text}");
        }
        assert_eq!(found(&zoe, "cremes").await, Vec::<String>::new());
    }

    async fn one_finds_only_what_one_may_read(school) {
        let (mei, zoe, omar) = (school.person("mei").await, school.person("zoe").await, school.person("omar").await);
        begin(&zoe, &school, "sol", "Worms, en français", "Two worms").await;
        assert_eq!(found(&zoe, "worms").await, ["# Worms, en français", "Two worms"]);
        assert_eq!(found(&omar, "worms").await, ["# Are two worms enough?"]);
        assert_eq!(found(&mei, "worms").await, ["# Are two worms enough?"]);
        assert_eq!(found(&school.anybody().clone(), "worms").await, Vec::<String>::new());
        // Bo helps in one course and teaches the other.
        assert_eq!(found(&school.person("bo").await, "worms").await, ["# Worms, en français", "# Are two worms enough?", "Two worms"]);

        let data = omar.data_with(IN_COURSE, json!({ "slug": "living-soil", "text": "worms" })).await;
        assert_eq!(texts(&data["course"]["forum"]["search"]), ["# Are two worms enough?"]);
        let answer = zoe.ask_with(IN_COURSE, json!({ "slug": "living-soil", "text": "worms" })).await;
        assert_eq!(answer["data"]["course"]["forum"], Value::Null);
        // Who leaves finds nothing more.
        school.execute("UPDATE enrolments SET left_at = 1772000000000000 WHERE learner_id = {person:omar}").await;
        assert_eq!(found(&omar, "worms").await, Vec::<String>::new());
    }

    async fn what_is_removed_changed_or_moved_is_found_as_it_is_now(school) {
        let omar = school.person("omar").await;
        school.execute("UPDATE posts SET removed_at = 5, removed_as = 'MODERATOR' WHERE id = {post:p1}").await;
        assert_eq!(found(&omar, "counted").await, Vec::<String>::new());
        school.execute("UPDATE posts SET removed_at = NULL, removed_as = NULL, body = 'I saw beetles.' WHERE id = {post:p1}").await;
        assert_eq!(found(&omar, "counted").await, Vec::<String>::new());
        assert_eq!(found(&omar, "beetles").await, ["I saw beetles."]);
        school.execute("UPDATE threads SET title = 'Of beetles' WHERE id = {thread:t1}").await;
        assert_eq!(found(&omar, "worms").await, Vec::<String>::new());
        assert_eq!(found(&omar, "beetles").await, ["# Of beetles", "I saw beetles."]);
        school.execute(
            "UPDATE posts SET thread_id = {thread:t2} WHERE thread_id = {thread:t1};
             UPDATE threads SET merged_into = {thread:t2} WHERE id = {thread:t1}",
        ).await;
        let data = omar.data_with(SEARCH, json!({ "text": "beetles" })).await;
        assert_eq!(texts(&data["searchForums"]), ["I saw beetles."], "an empty thread is not found");
        assert_eq!(data["searchForums"]["nodes"][0]["thread"]["title"], "Welcome");
    }

    async fn a_search_is_narrowed_by_kind_by_answer_and_to_ones_own(school) {
        let omar = school.person("omar").await;
        assert_eq!(found_with(&omar, json!({ "text": "soil", "kind": "DISCUSSION" })).await, ["Say where your soil is."]);
        assert_eq!(found_with(&omar, json!({ "text": "soil", "kind": "QUESTION" })).await.len(), 1);
        assert_eq!(found_with(&omar, json!({ "text": "two", "answered": true })).await, Vec::<String>::new());
        school.execute("UPDATE threads SET answer_id = {post:p2} WHERE id = {thread:t1}").await;
        assert_eq!(found_with(&omar, json!({ "text": "two", "answered": true })).await.len(), 3);
        assert_eq!(found_with(&omar, json!({ "text": "two", "answered": false })).await, Vec::<String>::new());
        assert_eq!(found_with(&omar, json!({ "text": "two", "mine": true })).await, [
            "# Are two worms enough?", "I counted **two** in a spade of soil.\n\nIs that too few?",
        ]);
    }

    async fn what_is_found_pages_both_ways(school) {
        let omar = school.person("omar").await;
        let all = found(&omar, "two").await;
        let first = omar.data_with(SEARCH, json!({ "text": "two", "first": 2 })).await;
        let info = &first["searchForums"]["pageInfo"];
        assert_eq!((texts(&first["searchForums"]), &info["hasNextPage"]), (all[..2].to_vec(), &json!(true)));
        let rest = omar.data_with(SEARCH, json!({ "text": "two", "first": 2, "after": info["endCursor"] })).await;
        assert_eq!(texts(&rest["searchForums"]), all[2..]);
        assert_eq!(rest["searchForums"]["pageInfo"]["hasNextPage"], false);
        let back = json!({ "text": "two", "first": null, "last": 2, "before": rest["searchForums"]["pageInfo"]["startCursor"] });
        assert_eq!(found_with(&omar, back).await, all[..2]);
        let last = omar.data_with(SEARCH, json!({ "text": "two", "first": null, "last": 1 })).await;
        assert_eq!(texts(&last["searchForums"]), all[2..]);
        assert_eq!(last["searchForums"]["pageInfo"]["hasPreviousPage"], true);
    }

    async fn the_same_search_in_many_courses_costs_one_statement(school) {
        let bo = school.person("bo").await;
        let query = "{ courses(first: 9) { nodes { forum { search(text: \"two\", first: 1) { nodes { place } } } } } }";
        bo.data(query).await;
        let before = school.app.db.statements();
        bo.data(query).await;
        let of_all = school.app.db.statements() - before;
        let one = "{ course(slug: \"living-soil\") { forum { search(text: \"two\", first: 1) { nodes { place } } } } }";
        let before = school.app.db.statements();
        bo.data(one).await;
        assert!(of_all <= school.app.db.statements() - before + 1, "{of_all}");
    }

    /// `STOA_SEARCH_POSTS=100000` measures it with as many posts; the times come on standard error.
    async fn a_word_that_is_everywhere_costs_no_more_than_its_latest_places(school) {
        let posts: i64 = std::env::var("STOA_SEARCH_POSTS").map_or(3_000, |count| count.parse().expect("a number"));
        let numbers = if school.database.is_sqlite() {
            format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {posts})")
        } else {
            format!("WITH n(n) AS (SELECT generate_series(1, {posts}))")
        };
        let id = if school.database.is_sqlite() { "unhex(printf('%032x', n))" } else { "lpad(to_hex(n), 32, '0')::uuid" };
        school.execute(&format!(
            "{numbers} INSERT INTO posts (course_id, id, thread_id, author_id, body, created_at)
             SELECT {{course:soil}}, {id}, {{thread:t2}}, {{person:mei}},
               'Everywhere is soil, also in pot number' || n || CASE WHEN n % 1000 = 7 THEN ', with a beetle' ELSE '' END, 1772000000000000 + n FROM n"
        )).await;
        let omar = school.person("omar").await;
        for (text, all) in [("everywhere", posts.min(2_000)), ("beetle", (posts + 993) / 1000), ("everywhere -pot", 0), ("soil pot* -beetle", 100), ("number7", 1)] {
            let begun = std::time::Instant::now();
            let data = omar.data_with(SEARCH, json!({ "text": text, "first": 100 })).await;
            eprintln!("{} posts on {}: {text:?} in {:?}", posts, school.app.db.kind(), begun.elapsed());
            let page = &data["searchForums"];
            assert_eq!(page["nodes"].as_array().unwrap().len() as i64, all.min(100), "{text}");
            if text == "everywhere" {
                let newest = format!("Everywhere is soil, also in pot number{posts}");
                assert!(page["nodes"][0]["post"]["body"].as_str().unwrap().starts_with(&newest));
                // To the end, page by page.
                let (mut found, mut after) = (100, page["pageInfo"]["endCursor"].clone());
                loop {
                    let data = omar.data_with(SEARCH, json!({ "text": text, "first": 100, "after": after })).await;
                    found += data["searchForums"]["nodes"].as_array().unwrap().len() as i64;
                    after = data["searchForums"]["pageInfo"]["endCursor"].clone();
                    if data["searchForums"]["pageInfo"]["hasNextPage"] == false {
                        break;
                    }
                }
                assert_eq!(found, all);
            }
        }
    }

    async fn nothing_that_somebody_types_is_an_error(school) {
        let omar = school.person("omar").await;
        let hostile = [
            "\"", "\"\"", "-", "--", "*", "**", "a*b*", "NEAR(two worms)", "two AND", "OR", "NOT", "AND OR NOT", "course:two", "words : two",
            "{words}: two", "^two", "two + worms", "(two", "two)", "'two'", "two'; DROP TABLE posts; --", "two & | ! <-> :*", "two:*", "a:b", "\\",
            "two\u{1}worms", "%", "_", "⑴ ½ ² ª", "🪱", "日本語", "e\u{301}\u{301}", "\u{301}", "\u{200b}", "1e5 -3 0x10", "https://x.example/?a=1&b=2#c", "ﬁ ŉ ㎏",
            "-\"two", "\"two", "-two*", "two -two", "a\u{2028}b",
        ];
        for text in hostile {
            found(&omar, text).await;
        }
        assert_eq!(found(&omar, "(two)").await, found(&omar, "two").await);
        assert_eq!(found(&omar, &"two ".repeat(10_000)).await.len(), 3);
        assert_eq!(found(&omar, &"a".repeat(60_000)).await.len(), 0);
        // A text that poses as another course's.
        let other = format!("c{}", CourseId::imported(SCHOOL, "sol").0.simple());
        begin(&omar, &school, "soil", "Posing", &format!("{other} worms")).await;
        assert!(!found(&school.person("zoe").await, "worms").await.iter().any(|text| text.contains("worms")));

        let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
        let typed = proptest::collection::vec(prop_oneof![
            3 => "[ \"'*:^(){}|&!<>\\\\-]{1,4}",
            3 => "(two|worms|soil|AND|OR|NOT|NEAR|course|words)",
            1 => "\\PC{0,6}",
        ], 0..8);
        for _ in 0..60 {
            let text = typed.new_tree(&mut runner).unwrap().current().concat();
            let answer = omar.ask_with(SEARCH, json!({ "text": text })).await;
            assert_eq!(answer.get("errors"), None, "{text:?}");
        }
    }
}
