"""That `fits` finds what does not fit: otherwise the properties would hold of anything."""

import unittest

from graphql import build_schema, parse, print_ast

from fits import Misfit, check, with_type_names

SCHEMA = build_schema(
    """
    scalar DateTime
    enum Level { EASY HARD }
    interface Node { id: ID! }
    type Course implements Node { id: ID! title: String! seconds: Int level: Level since: DateTime tags: [String!] }
    type Topic implements Node { id: ID! name: String! }
    type Query { node: Node course: Course! }
    """
)
FITS = {"course": {"title": "Soil", "seconds": 60, "level": "EASY", "since": "2026-03-02T09:00:00Z", "tags": ["a"]}}


def failed(path):
    return {"message": "it failed", "path": path}


class Fits(unittest.TestCase):
    document = parse("{ course { title seconds level since tags } }")

    def misfits(self, data, errors=(), document=None):
        with self.assertRaises(Misfit):
            check(SCHEMA, document or self.document, {"data": data, "errors": list(map(failed, errors))})

    def changed(self, **fields):
        return {"course": FITS["course"] | fields}

    def test_what_fits_is_let_through(self):
        check(SCHEMA, self.document, {"data": FITS})
        check(SCHEMA, self.document, {"data": self.changed(seconds=None, tags=None)})
        check(SCHEMA, self.document, {"data": None, "errors": [failed(["course", "title"])]})
        check(SCHEMA, self.document, {"data": self.changed(seconds=None), "errors": [failed(["course", "seconds"])]})

    def test_each_kind_of_value_is_held_against_its_type(self):
        for wrong in (
            {"title": None}, {"title": 1}, {"seconds": 1.5}, {"seconds": 2**31}, {"seconds": True}, {"level": "OTHER"},
            {"since": "2026-03-02"}, {"tags": "a"}, {"tags": [None]},
        ):  # fmt: skip
            with self.subTest(wrong):
                self.misfits(self.changed(**wrong))

    def test_all_that_was_asked_for_is_there_in_its_order_and_nothing_else(self):
        course = FITS["course"]
        self.misfits({"course": {name: course[name] for name in reversed(course)}})
        self.misfits({"course": {name: course[name] for name in course if name != "tags"}})
        self.misfits(self.changed(more=1))

    def test_a_null_without_an_error_and_an_error_without_a_null_are_found(self):
        self.misfits(None)
        self.misfits(FITS, [["course", "title"]])
        self.misfits(FITS, [["course", "nothing"]])

    def test_a_field_that_may_be_null_takes_nothing_with_it(self):
        self.misfits(None, [["course", "seconds"]])
        check(SCHEMA, self.document, {"data": self.changed(tags=None), "errors": [failed(["course", "tags", 0])]})

    def test_a_fragment_counts_for_its_type_alone(self):
        document = with_type_names(parse("{ node { id ... on Topic { name } } }"), SCHEMA)
        self.assertIn("__typename", print_ast(document))
        check(SCHEMA, document, {"data": {"node": {"__typename": "Course", "id": "1"}}})
        for node in (
            {"__typename": "Topic", "id": "1"},
            {"__typename": "Course", "id": "1", "name": "Soil"},
            {"__typename": "Query", "id": "1"},
            {"__typename": None, "id": "1"},
        ):
            with self.subTest(node):
                self.misfits({"node": node}, document=document)


if __name__ == "__main__":
    unittest.main()
