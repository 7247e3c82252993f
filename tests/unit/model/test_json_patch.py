"""JSON Patch, as https://www.rfc-editor.org/rfc/rfc6902 has it."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid, Refused
from fyr.core.model import json
from fyr.core.model.json_patch import JsonPatch


def patched(document: Any, *operations: dict[str, Any]) -> Any:
    return JsonPatch.of(list(operations)).apply(deepcopy(document))


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": [1]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2]}),
        ({"a": 1}, {"op": "add", "path": "/a", "value": None}, {"a": None}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a": 1}, {"op": "replace", "path": "/a", "value": 2}, {"a": 2}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
        ({"a": {"b": 1}, "c": {"d": 2}}, {"op": "move", "from": "/a/b", "path": "/c/b"},
         {"c": {"d": 2, "b": 1}}),
        ({"a": [1, 2, 3]}, {"op": "move", "from": "/a/0", "path": "/a/2"}, {"a": [2, 3, 1]}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/a"}, {"a": 1}),
        ({"a": [1]}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": [1], "b": [1]}),
        ({"a/b": 1, "c~d": 2}, {"op": "remove", "path": "/a~1b"}, {"c~d": 2}),
        ({"a/b": 1, "c~d": 2}, {"op": "test", "path": "/c~0d", "value": 2},
         {"a/b": 1, "c~d": 2}),
        ({"": 1, "a": 2}, {"op": "remove", "path": "/"}, {"a": 2}),
        ({"a": 1}, {"op": "test", "path": "/a", "value": 1.0, "more": "ignored"}, {"a": 1}),
    ],
)  # fmt: skip
def test_an_operation_does_what_the_rfc_says(
    document: Any, operation: dict[str, Any], expected: Any
) -> None:
    if operation["op"] == "test":
        operation = json.decode(json.dump(operation))

    assert patched(document, operation) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/b/c", "value": 1},
        {"op": "add", "path": "/l/3", "value": 1},
        {"op": "add", "path": "/l/01", "value": 1},
        {"op": "add", "path": "/l/-1", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": "/l/-"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "replace", "path": "/l/2", "value": 1},
        {"op": "move", "from": "/b", "path": "/c"},
        {"op": "copy", "from": "/l/2", "path": "/c"},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/a", "value": "1"},
        {"op": "test", "path": "/l", "value": [2, 1]},
        {"op": "test", "path": "/b", "value": None},
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        patched({"a": 1, "l": [1, 2]}, operation)

    assert refusal.value.issues[0].diagnostics.startswith("operation 0, ")


def test_all_malformed_operations_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        JsonPatch.of(
            [
                {"op": "add", "path": "/a"},
                {"op": "replace", "path": "a", "value": 1},
                {"op": "jump", "path": "/a"},
                {"op": "move", "from": "/a", "path": "/a/b"},
                {"op": "remove", "path": "/~2"},
                "remove",
            ]
        )

    assert len(refusal.value.issues) == 6


def test_what_a_removal_empties_is_removed_too() -> None:
    document = {"id": "a", "contact": [{"name": {"text": "n"}}]}

    assert patched(document, {"op": "remove", "path": "/contact/0/name/text"}) == {
        "id": "a"
    }


def test_a_list_that_is_emptied_and_filled_again_stays() -> None:
    document = {"name": [{"text": "a"}]}

    done = patched(
        document,
        {"op": "remove", "path": "/name/0"},
        {"op": "add", "path": "/name/-", "value": {"text": "b"}},
    )

    assert done == {"name": [{"text": "b"}]}


def test_copies_do_not_share() -> None:
    done = patched(
        {"a": {"b": 1}},
        {"op": "copy", "from": "/a", "path": "/c"},
        {"op": "replace", "path": "/c/b", "value": 2},
    )

    assert done == {"a": {"b": 1}, "c": {"b": 2}}


def test_copying_cannot_exhaust_the_memory() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40

    with pytest.raises(Refused, match="copies too much"):
        patched({"a": [1]}, *doubling)


def test_nesting_is_bounded_over_all_operations() -> None:
    deeper = [
        {"op": "add", "path": "/a" * depth, "value": {"b": 1}}
        for depth in range(1, 120)
    ]

    with pytest.raises(Refused, match="deeper than 100"):
        patched({"id": "x"}, *deeper)


def test_moving_large_values_again_and_again_is_bounded() -> None:
    there = {"op": "move", "from": "/a", "path": "/b"}
    back = {"op": "move", "from": "/b", "path": "/a"}

    with pytest.raises(Refused, match="too much work"):
        patched({"a": list(range(5000))}, *[there, back] * 200)


def test_decimals_keep_their_text() -> None:
    patch = JsonPatch.of(json.decode(b'[{"op":"add","path":"/v","value":1.00}]'))

    assert json.dump(patch.apply({"a": 1})) == b'{"a":1,"v":1.00}'


paths = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "", "~0"]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={"path": paths, "from": paths, "value": values},
)


@given(values, st.lists(operations, max_size=4))
def test_no_patch_raises_anything_but_a_refusal(
    document: Any, patch: list[dict[str, Any]]
) -> None:
    with suppress(Invalid, Refused):
        assert json.dump(patched(document, *patch))
