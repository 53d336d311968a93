"""
Questions that nobody would think of, made from the schema itself: whatever is asked, the server answers, with JSON of
the right media type, with what the schema promises, and with errors that the documentation names.

`STOA_EXAMPLES` is how many queries are sent for each kind of viewer (60 if it is not set), and a third as many mutations.
They are the same in every run, so what failed once fails again.
"""

import json
import os
import re
import unittest
from pathlib import Path

import requests
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    Visitor,
    build_client_schema,
    get_introspection_query,
    print_ast,
    validate,
    visit,
)
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, mutations, nodes, queries

from fits import check, with_type_names
from stoa import URL, headers

EXAMPLES = int(os.environ.get("STOA_EXAMPLES", "60"))
QUESTIONS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    # A failure is made smaller, but not for ever.
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
# What is written stays, so there are fewer of these.
DEEDS = settings(QUESTIONS, max_examples=max(EXAMPLES // 3, 1))

ERRORS = Path(__file__).parents[3] / "docs/ERRORS.md"
CODES = set(re.findall(r"`([A-Z][A-Z_]+[A-Z])`", ERRORS.read_text()))
# They are in the catalogue, but nothing that a client asks may bring them about.
FAULTS = {"INTERNAL", "UNAVAILABLE"}

# They end the token that the test asks with, or change what the other clients expect of the school.
LEFT_OUT = {
    "signOut", "changePassword", "resetPassword", "revokeToken", "revokeSession", "revokeOtherSessions",
    "leaveCourse", "updateCourse", "archiveCourse", "retireModule", "retireLesson", "removeStaff", "changeStaffRole",
    "updateEnrolmentSettings",
}  # fmt: skip

HTTP = requests.Session()


def post(viewer: str | None, document: str) -> requests.Response:
    return HTTP.post(URL, json={"query": document}, headers=headers(viewer), timeout=60)


SCHEMA = build_client_schema(post(None, get_introspection_query()).json()["data"])

# What there is in the school, so that questions are about something.
SCHOOL = """
{
  topics { id }
  courses(first: 10) {
    nodes {
      id slug
      staff { person { id } }
      modules { id lessons { id } }
      learners(first: 10) { nodes { id learner { id } } }
      forum { categories { id } threads(first: 5) { nodes { id posts(first: 5) { nodes { id author { id } } } } } }
    }
  }
}
"""


def found(value, name: str) -> set[str]:
    """Every value under this name, however deep."""
    if isinstance(value, list):
        return set().union(*(found(item, name) for item in value))
    if isinstance(value, dict):
        here = {value[name]} if isinstance(value.get(name), str) else set()
        return here.union(*(found(item, name) for item in value.values()))
    return set()


STAGE = post("ana", SCHOOL).json()["data"]
IDS = st.sampled_from(sorted(found(STAGE, "id")))
SLUGS = st.sampled_from(sorted(found(STAGE, "slug")))
NUMBERS = st.integers(0, 10) | st.integers(-(2**31), 2**31 - 1)
INSTANTS = st.datetimes().map(lambda at: f"{at.isoformat()}Z")

# Mostly what can be, and now and then anything.
SCALARS = {
    "ID": (IDS | IDS | IDS | st.text(max_size=40)).map(nodes.String),
    "String": (SLUGS | st.text(max_size=40)).map(nodes.String),
    "Int": NUMBERS.map(nodes.Int),
    "DateTime": (INSTANTS | st.text(max_size=40)).map(nodes.String),
}


class OnePage(Visitor):
    """Lists want `first` or `last`, not both: without this most questions would end there."""

    def __init__(self, size: int):
        super().__init__()
        self.first = ArgumentNode(name=NameNode(value="first"), value=IntValueNode(value=str(size)))

    def leave_field(self, node: FieldNode, *_):
        names = {argument.name.value for argument in node.arguments}
        if not {"first", "last"} <= names:
            return None
        kept = [one for one in node.arguments if one.name.value not in ("first", "last", "after", "before")]
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=(*kept, self.first),
            directives=node.directives,
            selection_set=node.selection_set,
        )


@st.composite
def documents(draw, strategy) -> DocumentNode:
    document = draw(strategy)
    if draw(st.integers(0, 4)) > 0:
        document = visit(document, OnePage(draw(st.integers(0, 5))))
    return with_type_names(document, SCHEMA)


def as_it_is(document: DocumentNode) -> DocumentNode:
    return document


QUERIES = documents(queries(SCHEMA, custom_scalars=SCALARS, print_ast=as_it_is))
WRONG = queries(SCHEMA, custom_scalars=SCALARS, print_ast=as_it_is, mode=Mode.NEGATIVE)
WRITES = documents(
    mutations(
        SCHEMA,
        fields=sorted(set(SCHEMA.mutation_type.fields) - LEFT_OUT),
        custom_scalars=SCALARS,
        print_ast=as_it_is,
    )
)


class Properties(unittest.TestCase):
    def setUp(self):
        self.sent = self.answered = 0

    def ask(self, viewer: str | None, document: DocumentNode) -> tuple[int, dict]:
        """Sends it, and holds what comes back against all that is promised of every answer."""
        text = print_ast(document)
        note(text)
        response = post(viewer, text)
        note(f"{response.status_code} {response.text[:4000]}")
        self.assertLess(response.status_code, 500)
        kind = response.headers["Content-Type"].replace(" ", "").lower()
        self.assertEqual(kind, "application/graphql-response+json;charset=utf-8")
        answer = json.loads(response.content.decode("utf-8", errors="strict"))
        self.assertLessEqual(set(answer), {"data", "errors", "extensions"})
        for error in answer.get("errors", []):
            self.assertIsInstance(error["message"], str)
            code = error["extensions"]["code"]
            self.assertIn(code, CODES)
            self.assertNotIn(code, FAULTS)
        self.sent += 1
        if "data" in answer:
            self.assertEqual(response.status_code, 200)
            check(SCHEMA, document, answer)
            self.answered += 1
        else:
            self.assertGreaterEqual(response.status_code, 400)
            self.assertTrue(answer["errors"])
        return response.status_code, answer

    def ask_many(self, viewer: str | None, strategy, bounds: settings = QUESTIONS) -> None:
        @bounds
        @given(strategy)
        def run(document: DocumentNode) -> None:
            _, answer = self.ask(viewer, document)
            # It fits the schema, so nothing else may be said of it.
            codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
            self.assertNotIn("GRAPHQL_PARSE_FAILED", codes)
            if "GRAPHQL_VALIDATION_FAILED" in codes:
                self.assertRegex(answer["errors"][0]["message"], "too (deep|many)|DateTime")

        run()
        # Otherwise the questions were all refused, and nothing was learned.
        self.assertGreater(self.answered, self.sent // 3, f"{self.answered} of {self.sent} were answered")

    def test_queries_of_nobody(self):
        self.ask_many(None, QUERIES)

    def test_queries_of_a_learner(self):
        self.ask_many("mei", QUERIES)

    def test_queries_of_an_instructor(self):
        self.ask_many("ana", QUERIES)

    def test_mutations_of_nobody(self):
        self.ask_many(None, WRITES, DEEDS)

    def test_mutations_of_a_learner(self):
        self.ask_many("omar", WRITES, DEEDS)

    def test_mutations_of_an_instructor(self):
        self.ask_many("ana", WRITES, DEEDS)

    def test_what_does_not_fit_the_schema_is_refused(self):
        @QUESTIONS
        @given(WRONG)
        def run(document: DocumentNode) -> None:
            faults = validate(SCHEMA, document)
            note(str(faults))
            status, answer = self.ask("mei", with_type_names(document, SCHEMA))
            # Whether a number is too large for an Int is found out by the field that takes it, if it is carried out.
            if not all("32-bit" in fault.message for fault in faults):
                self.assertEqual(status, 400)
                self.assertNotIn("data", answer)

        run()
        self.assertGreater(self.sent, 0)

    def tearDown(self):
        alive = post(None, "{ __typename }")
        self.assertEqual((alive.status_code, alive.json()["data"]), (200, {"__typename": "Query"}))


if __name__ == "__main__":
    unittest.main()
