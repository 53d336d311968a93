//! A query costs as many statements as it is deep, not as its lists are long.

use serde_json::{Value, json};
use stoa_api::{app::Settings, courses::CatalogueSettings};
use stoa_testkit::{Client, School, story};

/// The same school, where each query reads all of the catalogue that it shows: what is kept would hide what reading it costs.
async fn keeping_nothing(school: School) -> School {
    school
        .under(Settings {
            catalogue: CatalogueSettings { memory_bytes: 0, forum_memory_bytes: 0, record_memory_bytes: 0 },
            ..Settings::default()
        })
        .await
}

/// How many statements a query costs.
async fn cost(school: &School, client: &Client, query: &str, variables: Value) -> u64 {
    // That a token is used is written down behind an answer, once in a while.
    client.data("{ __typename }").await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let before = school.app.db.statements();
    client.data_with(query, variables).await;
    school.app.db.statements() - before
}

story! {
    async fn a_longer_list_costs_no_more_statements(school) {
        let school = keeping_nothing(school).await;
        let omar = school.person("omar").await;
        let catalogue = "query($n: Int!) { courses(first: $n) { nodes { title topics { name } prerequisites { title } rating { count }
            staff { role } modules { title lessons { title kind } } } } }";
        let one = cost(&school, &omar, catalogue, json!({ "n": 1 })).await;
        let all = cost(&school, &omar, catalogue, json!({ "n": 3 })).await;
        // Whose token it is, the page, topics, prerequisites and the courses they are, rollups, staff, what he is to the courses,
        // modules, lessons.
        assert!(one <= 10 && all <= 10, "{one} statements for one course, {all} for three");
        assert_eq!(one, all);

        // What is reached by several ways is read once or once more, as the ways meet or don't. One statement
        // for each course, module or lesson would be more than thirty.
        let home = "query($n: Int!) { courses(first: $n) { nodes { staff { person { name } } myEnrolment { progress
            modules { progress lessons { progress } } } } } }";
        let all = cost(&school, &omar, home, json!({ "n": 3 })).await;
        assert!(all <= 20, "{all} statements");

        // What only the viewer may see of herself is read once, however often it is asked for.
        let mine = "query($n: Int!) { courses(first: $n) { nodes { myEnrolment { learner { goals { slug } timePerTopic { seconds } recommendations { score } } } } } }";
        let all = cost(&school, &omar, mine, json!({ "n": 3 })).await;
        assert!(all <= 14, "{all} statements");

        let forum = "query($n: Int!) { course(slug: \"living-soil\") { forum { threads(first: $n) { nodes { author { name }
            posts(first: $n) { nodes { body author { name } replies(first: $n) { nodes { author { name } } } } } } } } } }";
        let few = cost(&school, &omar, forum, json!({ "n": 1 })).await;
        for _ in 0..20 {
            let begin = "mutation($course: ID!) { createThread(courseId: $course, input: { title: \"t\", body: \"b\" }) { thread { id } } }";
            omar.data_with(begin, json!({ "course": school.course("soil") })).await;
        }
        let many = cost(&school, &omar, forum, json!({ "n": 30 })).await;
        // With one post a thread nothing was answered, so nobody had to be looked up there: a level less. One
        // statement for each thread would be twenty-one more.
        assert!(many <= few + 8, "{few} statements for one thread, {many} for twenty-two");
    }

    async fn of_what_is_kept_a_longer_list_costs_what_is_new_in_it(school) {
        let omar = school.person("omar").await;
        let catalogue = "query($n: Int!) { courses(first: $n) { nodes { title topics { name } prerequisites { title } rating { count }
            staff { role } modules { title lessons { title kind } } } } }";
        let one = cost(&school, &omar, catalogue, json!({ "n": 1 })).await;
        let all = cost(&school, &omar, catalogue, json!({ "n": 3 })).await;
        // What is kept of one course goes on to its modules while those of others are read: a level is read once or once more for
        // each level above it, and never once for each course.
        assert!(one <= 10 && all <= 14, "{one} statements for one course, {all} for three");
        // Whose token it is, rollups, staff, and what he is to the courses.
        let again = cost(&school, &omar, catalogue, json!({ "n": 3 })).await;
        assert!(again <= 4, "{again} statements for what was just read");
    }

    async fn lists_of_one_query_with_the_same_page_share_a_statement(school) {
        let school = keeping_nothing(school).await;
        let omar = school.person("omar").await;
        let query = "query($a: ID!, $b: ID!) { a: node(id: $a) { ... on Thread { posts(first: 5) { nodes { body } } } }
            b: node(id: $b) { ... on Thread { posts(first: 5) { nodes { body } } } } }";
        let ids = [school.thread("soil", "t1"), school.thread("soil", "t2")];
        let same = cost(&school, &omar, query, json!({ "a": ids[0], "b": ids[0] })).await;
        let two = cost(&school, &omar, query, json!({ "a": ids[0], "b": ids[1] })).await;
        assert_eq!(same, two);
    }
}
