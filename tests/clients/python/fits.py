"""Whether an answer is one that the schema allows for the document that was sent."""

import math
import re

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    visit,
)

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

SCALARS = {
    "Int": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "Float": lambda value: type(value) in (int, float) and math.isfinite(value),
    "String": lambda value: type(value) is str,
    "ID": lambda value: type(value) is str and value != "",
    "Boolean": lambda value: type(value) is bool,
    "DateTime": lambda value: type(value) is str and INSTANT.fullmatch(value) is not None,
}


class Misfit(AssertionError):
    """What the answer has is not what the schema says."""


def with_type_names(document: DocumentNode, schema: GraphQLSchema) -> DocumentNode:
    """The document with `__typename` wherever only the answer can tell the type."""
    info = TypeInfo(schema)

    class Add(Visitor):
        def leave_selection_set(self, node: SelectionSetNode, *_):
            if is_abstract_type(info.get_parent_type()):
                [name] = parse("{ __typename }").definitions[0].selection_set.selections
                return SelectionSetNode(selections=(name, *node.selections))
            return None

    return visit(document, TypeInfoVisitor(info, Add()))


def check(schema: GraphQLSchema, document: DocumentNode, answer: dict) -> None:
    """Holds the answer's `data` and the places of its `errors` against the schema. Directives are not followed."""
    [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    errors = [error for error in answer.get("errors", []) if "path" in error]
    failed = {tuple(error["path"]) for error in errors}
    root = schema.get_root_type(operation.operation)
    data = answer["data"]
    if data is not None:
        _object(schema, fragments, root, [operation.selection_set], data, ())
    elif not failed:
        raise Misfit("`data` is null and no error says why")
    for path in failed:
        if not _is_null_at(data, path):
            raise Misfit(f"an error is at {path}, but there is a value")
    for error in errors:
        # An argument that can't be read fails the object around its field, whether or not the field may be null.
        if not error["message"].startswith("Failed to parse"):
            _null_is_no_higher_than_needed(schema, fragments, (root, operation.selection_set), data, error["path"])


def _object(schema, fragments, type_, selection_sets, value, path) -> None:
    if not isinstance(value, dict):
        raise Misfit(f"{_at(path)}: a {type_} is an object, not {value!r}")
    if is_abstract_type(type_):
        name = value.get("__typename")
        possible = schema.get_type(name) if isinstance(name, str) else None
        if possible is None or not schema.is_sub_type(type_, possible):
            raise Misfit(f"{_at(path)}: {name!r} is no {type_}")
        type_ = possible
    asked: dict[str, list[FieldNode]] = {}
    for selections in selection_sets:
        _collect(schema, fragments, type_, selections, asked)
    # The specification has the order of the document, too.
    if list(value) != list(asked):
        raise Misfit(f"{_at(path)}: asked for {list(asked)}, got {list(value)}")
    for key, nodes in asked.items():
        name = nodes[0].name.value
        if name == "__typename":
            if value[key] != type_.name:
                raise Misfit(f"{_at((*path, key))}: is {value[key]!r}, but a {type_}")
            continue
        inner = [node.selection_set for node in nodes if node.selection_set]
        _value(schema, fragments, schema.get_field(type_, name).type, inner, value[key], (*path, key))


def _value(schema, fragments, type_, selection_sets, value, path) -> None:
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            raise Misfit(f"{_at(path)}: a {type_} is null")
        type_ = type_.of_type
    if value is None:
        return
    if isinstance(type_, GraphQLList):
        if not isinstance(value, list):
            raise Misfit(f"{_at(path)}: a {type_} is a list, not {value!r}")
        for place, item in enumerate(value):
            _value(schema, fragments, type_.of_type, selection_sets, item, (*path, place))
    elif is_composite_type(type_):
        _object(schema, fragments, type_, selection_sets, value, path)
    elif isinstance(type_, GraphQLEnumType):
        if value not in type_.values:
            raise Misfit(f"{_at(path)}: {value!r} is no {type_}")
    elif isinstance(type_, GraphQLScalarType) and not SCALARS[type_.name](value):
        raise Misfit(f"{_at(path)}: {value!r} is no {type_}")


def _collect(schema, fragments, type_, selection_set, asked) -> None:
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            asked.setdefault(key, []).append(node)
            continue
        fragment = node if isinstance(node, InlineFragmentNode) else fragments[node.name.value]
        on = schema.get_type(fragment.type_condition.name.value) if fragment.type_condition else type_
        if on is type_ or (is_abstract_type(on) and schema.is_sub_type(on, type_)):
            _collect(schema, fragments, type_, fragment.selection_set, asked)


def _null_is_no_higher_than_needed(schema, fragments, selected, data, path) -> None:
    """Where a field that failed may be null, it alone is."""
    selections, types, above = [selected], [], data is None
    for place, step in enumerate(path):
        if isinstance(step, int):
            types = [_nullable(type_).of_type for type_ in types]
        else:
            fields = [field for one in selections for field in _fields(schema, fragments, *one, step)]
            types = [schema.get_field(type_, node.name.value).type for type_, node in fields]
            selections = [
                (get_named_type(type_), node.selection_set)
                for type_, (_, node) in zip(types, fields)
                if node.selection_set
            ]
        if above and not any(isinstance(type_, GraphQLNonNull) for type_ in types):
            raise Misfit(f"{_at(path[: place + 1])}: failed and may be null, but something around it is")
        if not above:
            data = data[step]
            above = data is None


def _fields(schema, fragments, type_, selection_set, key):
    """Every field that is called so in the answer, of whatever type the object may be."""
    for node in selection_set.selections:
        if isinstance(node, FieldNode):
            if key == (node.alias.value if node.alias else node.name.value):
                yield type_, node
            continue
        fragment = node if isinstance(node, InlineFragmentNode) else fragments[node.name.value]
        on = schema.get_type(fragment.type_condition.name.value) if fragment.type_condition else type_
        yield from _fields(schema, fragments, on, fragment.selection_set, key)


def _nullable(type_):
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _is_null_at(data, path) -> bool:
    """Whether the place is null, or something around it is."""
    for step in path:
        if data is None:
            return True
        if isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif isinstance(data, dict) and step in data:
            data = data[step]
        else:
            return False
    return data is None


def _at(path) -> str:
    return ".".join(map(str, path)) or "data"

