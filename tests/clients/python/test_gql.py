"""Stoa asked by gql: documents that are held against the schema before they are sent, dates, errors, redactions, news."""

import asyncio
import unittest
from datetime import datetime, timezone

from gql import gql
from gql.dsl import DSLInlineFragment, DSLMutation, DSLQuery, DSLSchema, dsl_gql
from gql.transport.exceptions import TransportQueryError
from graphql import GraphQLError

from stoa import blocking, live, waiting, with_dates

COURSES = gql(
    """
    query Courses($first: Int!, $after: String) {
      courses(first: $first, after: $after) {
        edges { node { id title publishedAt } }
        pageInfo { hasNextPage endCursor }
      }
    }
    """
)
SOIL = gql('query Soil { course(slug: "living-soil") { id staff { person { name email } } } }')
ASK = gql(
    """
    mutation Ask($courseId: ID!, $input: CreateThreadInput!) {
      createThread(courseId: $courseId, input: $input) { thread { id } userErrors { code message path } }
    }
    """
)
REPLY = gql(
    """
    mutation Reply($threadId: ID!, $body: String!) {
      createPost(threadId: $threadId, input: { body: $body }) { post { id } userErrors { code message path } }
    }
    """
)
NEWS = gql(
    "subscription News($threadId: ID!) { postAdded(threadId: $threadId) { missed post { body } thread { postCount } } }"
)


def given(document, **variables):
    """The document with these variables."""
    request = gql(document.payload["query"])
    request.variable_values = variables
    return request


class Catalogue(unittest.TestCase):
    def test_pages_follow_each_other(self):
        titles, after = [], None
        with blocking() as session:
            while True:
                page = session.execute(given(COURSES, first=2, after=after))["courses"]
                titles += [edge["node"]["title"] for edge in page["edges"]]
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]:
                    break
        self.assertEqual(titles, ["Compost, Step by Step", "Le sol vivant", "Living Soil"])

    def test_a_document_that_does_not_fit_the_schema_is_not_sent(self):
        with blocking() as session, self.assertRaises(GraphQLError) as caught:
            session.execute(gql("{ courses(first: 1) { colour } }"))
        self.assertIn("colour", str(caught.exception))

    def test_documents_are_made_from_the_schema(self):
        with blocking() as session:
            ds = DSLSchema(session.client.schema)
            course = ds.Query.course(slug="living-soil")
            made = dsl_gql(DSLQuery(course.select(ds.Course.id, ds.Course.title, ds.Course.status)))
            answer = session.execute(made)["course"]
            self.assertEqual((answer["title"], answer["status"]), ("Living Soil", "PUBLISHED"))
            on_course = DSLInlineFragment().on(ds.Course).select(ds.Course.title)
            node = session.execute(dsl_gql(DSLQuery(ds.Query.node(id=answer["id"]).select(ds.Node.id, on_course))))
            self.assertEqual(node["node"], {"id": answer["id"], "title": "Living Soil"})

    def test_dates_are_dates(self):
        with blocking() as session:
            with_dates(session.client)
            answer = session.execute(given(COURSES, first=1), parse_result=True)
        published = answer["courses"]["edges"][0]["node"]["publishedAt"]
        self.assertEqual(published, datetime(2025, 10, 15, 8, tzinfo=timezone.utc))

    def test_an_error_has_a_code_and_a_place(self):
        with blocking() as session, self.assertRaises(TransportQueryError) as caught:
            session.execute(given(COURSES, first=1_000))
        [error] = caught.exception.errors
        self.assertEqual(error["extensions"]["code"], "BAD_USER_INPUT")
        self.assertEqual(error["path"], ["courses"])


class People(unittest.TestCase):
    def test_what_the_viewer_may_not_see_is_null_and_the_answer_says_why(self):
        with blocking("mei") as session:
            answer = session.execute(SOIL, get_execution_result=True)
        self.assertEqual([staff["person"]["email"] for staff in answer.data["course"]["staff"]], [None, None])
        [email] = [one for one in answer.extensions["redactions"] if one["field"] == "Person.email"]
        self.assertEqual((email["reason"], email["category"], email["places"]), ("NOT_IN_AUDIENCE", "CONTACT", 2))

    def test_whoever_prefers_errors_gets_them(self):
        with blocking("mei", **{"Stoa-Denied-Fields": "errors"}) as session, self.assertRaises(TransportQueryError) as caught:
            session.execute(SOIL)
        error = caught.exception.errors[0]
        self.assertEqual(error["extensions"]["code"], "FIELD_FORBIDDEN")
        self.assertEqual(error["path"], ["course", "staff", 0, "person", "email"])
        self.assertEqual(len(caught.exception.data["course"]["staff"]), 2)


class Writing(unittest.IsolatedAsyncioTestCase):
    async def ask(self, session):
        course = (await session.execute(SOIL))["course"]["id"]
        question = {"title": "Roots", "body": "How deep?", "kind": "QUESTION"}
        payload = (await session.execute(given(ASK, courseId=course, input=question)))["createThread"]
        self.assertEqual(payload["userErrors"], [])
        return payload["thread"]["id"]

    async def test_what_a_person_can_mend_is_no_error(self):
        async with waiting("mei") as session:
            payload = await session.execute(given(REPLY, threadId=await self.ask(session), body=""))
        [error] = payload["createPost"]["userErrors"]
        self.assertEqual((error["code"], error["path"]), ("LENGTH", ["input", "body"]))

    async def test_a_date_goes_out_as_the_schema_has_it(self):
        async with waiting("mei") as session:
            with_dates(session.client)
            ds = DSLSchema(session.client.schema)
            lessons = ds.Query.course(slug="living-soil").select(
                ds.Course.modules.select(ds.Module.lessons.select(ds.Lesson.id))
            )
            modules = (await session.execute(dsl_gql(DSLQuery(lessons))))["course"]["modules"]
            # Before she enrolled: so nothing is recorded, but the date was understood.
            at = datetime(2020, 1, 1, tzinfo=timezone.utc)
            recording = gql(
                """
                mutation Learn($lessonId: ID!, $input: RecordActivityInput!) {
                  recordActivity(lessonId: $lessonId, input: $input) { userErrors { code path } }
                }
                """
            )
            lesson = modules[0]["lessons"][0]["id"]
            recording.variable_values = {"lessonId": lesson, "input": {"seconds": 10, "at": at}}
            payload = await session.execute(recording, serialize_variables=True)
        [error] = payload["recordActivity"]["userErrors"]
        self.assertIn(error["code"], ("TOO_LATE", "BEFORE_ENROLMENT"))

    async def test_a_mutation_is_made_from_the_schema(self):
        async with waiting("mei") as session:
            thread = await self.ask(session)
            ds = DSLSchema(session.client.schema)
            reply = ds.Mutation.createPost(threadId=thread, input={"body": "As deep as a spade."})
            made = DSLMutation(reply.select(ds.CreatePostPayload.post.select(ds.Post.body)))
            payload = await session.execute(dsl_gql(made))
        self.assertEqual(payload["createPost"]["post"]["body"], "As deep as a spade.")

    async def test_news_come_by_themselves(self):
        async with waiting("omar") as omar, live("mei") as mei:
            thread = await self.ask(omar)

            async def first():
                async for event in mei.subscribe(given(NEWS, threadId=thread)):
                    return event["postAdded"]

            told = asyncio.create_task(asyncio.wait_for(first(), 20))
            # A post that comes before the subscription is there is not news, so Omar writes until Mei hears.
            while not told.done():
                await omar.execute(given(REPLY, threadId=thread, body="Deeper than you think."))
                await asyncio.wait([told], timeout=0.2)
            event = await told
        self.assertFalse(event["missed"])
        self.assertEqual(event["post"]["body"], "Deeper than you think.")
        self.assertGreater(event["thread"]["postCount"], 1)


if __name__ == "__main__":
    unittest.main()
