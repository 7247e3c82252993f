"""Scopes of SMART App Launch 2 are read as written, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.access_control.smart.scopes import (
    LETTERS,
    SmartScope,
    smart_scope,
    smart_scopes,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "patient/Observation.rs",
            SmartScope("patient", "Observation", frozenset("rs")),
        ),
        ("user/*.cruds", SmartScope("user", "*", frozenset("cruds"))),
        ("system/Patient.c", SmartScope("system", "Patient", frozenset("c"))),
        ("patient/Patient.read", SmartScope("patient", "Patient", frozenset("rs"))),
        ("user/Task.write", SmartScope("user", "Task", frozenset("cud"))),
        ("user/*.*", SmartScope("user", "*", frozenset("cruds"))),
        (
            "patient/Observation.rs?category=http://x|laboratory&status=final",
            SmartScope(
                "patient",
                "Observation",
                frozenset("rs"),
                (("category", "http://x|laboratory"), ("status", "final")),
            ),
        ),
    ],
)
def test_a_scope_is_read(text: str, expected: SmartScope) -> None:
    assert smart_scope(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "openid",
        "launch/patient",
        "patient/Observation",
        "patient/Observation.",
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.x",
        "patient/Nothing.rs",
        "patients/Observation.rs",
        "patient/Observation.rs?",
        "patient/observation.rs",
        "patient/Observation.rs?_include=*",
        "patient/Observation.rs?_include:iterate=*",
        "patient/Observation.rs?_sort=date",
        "patient/Observation.rs?_count=10&status=final",
        "patient/Observation.rs?status=",
        "patient/Observation.rs?status",
        "patient/Observation.rs?=final",
        "patient/Observation.rs?&",
        "http://ehealth.sundhed.dk/cs/ehealth-system|xa",
    ],
)
def test_what_is_no_scope_of_smart_allows_nothing(text: str) -> None:
    assert smart_scope(text) is None


def test_a_scope_allows_what_its_letters_say_on_its_type_alone() -> None:
    scope = smart_scope("patient/Observation.rs")
    assert scope is not None
    allowed = {one for one in LETTERS if scope.allows("Observation", one)}
    assert allowed == {
        "read",
        "vread",
        "history-instance",
        "search-type",
        "history-type",
    }
    assert not any(scope.allows("Condition", one) for one in LETTERS)
    assert not scope.allows("Observation", "operation")


@given(st.text(max_size=40), st.sampled_from(["patient", "user", "system"]))
def test_no_text_is_more_than_one_scope_or_an_error(text: str, level: str) -> None:
    assert smart_scopes(text.split()) == tuple(
        scope for one in text.split() if (scope := smart_scope(one))
    )
    one = smart_scope(f"{level}/Patient.{text}")
    assert one is None or one.level == level
