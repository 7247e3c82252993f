"""Operations: which one is meant, and what a caller may give it."""

import pytest

from fyr.core.context import RequestContext
from fyr.core.declarations.operation_definitions import operation_definition
from fyr.core.declarations.operations import (
    Operation,
    OperationCall,
    OperationParameter,
    Operations,
)
from fyr.core.declarations.services import Service
from fyr.core.errors import Invalid, NotFound
from fyr.core.errors.plugins import PluginError
from fyr.core.interactions.operation_input import from_post, from_query, problems

INSTANCE = frozenset({"instance"})
TYPE = frozenset({"type"})
SYSTEM = frozenset({"system"})


def operation(name="greet", levels=SYSTEM, **rest) -> Operation:
    return Operation(name, lambda call: None, levels, **rest)


GREET = operation(
    levels=frozenset({"type", "instance"}),
    types=frozenset({"Patient"}),
    documentation="Greets.",
    parameters=(
        OperationParameter("greeting", "string", min=1, documentation="A word."),
        OperationParameter("times", "positiveInt"),
        OperationParameter("loud", "boolean"),
        OperationParameter("language", "Coding", max="*"),
        OperationParameter("who", "Patient"),
        OperationParameter(
            "room", parts=(OperationParameter("floor", "integer", min=1),)
        ),
        OperationParameter("return", "Parameters", use="out"),
    ),
)


def given(*parameters):
    return {"resourceType": "Parameters", "parameter": list(parameters)}


HELLO = {"name": "greeting", "valueString": "Hello"}


def test_an_operation_is_found_at_its_level_and_type() -> None:
    operations = Operations([GREET, operation("stats")])

    assert operations.find("greet", "instance", "Patient") is GREET
    assert [one.name for one in operations.at("system")] == ["stats"]
    assert list(operations) == [GREET, *operations.at("system")]


def test_an_operation_for_all_types_is_found_for_any() -> None:
    everything = operation("everything", INSTANCE)

    assert Operations([everything]).at("instance", "Device") == [everything]


@pytest.mark.parametrize(
    ("name", "level", "resource_type"),
    [
        ("greet", "system", None),
        ("greet", "type", "Device"),
        ("gret", "type", "Patient"),
    ],
)
def test_an_operation_that_is_not_offered_there_is_not_found(
    name, level, resource_type
) -> None:
    with pytest.raises(NotFound, match=rf"no operation \${name} at {level} level"):
        Operations([GREET]).find(name, level, resource_type)


def test_a_misspelt_operation_is_told_its_neighbour() -> None:
    with pytest.raises(NotFound, match=r"of Patient; did you mean \$greet\?"):
        Operations([GREET]).find("gret", "type", "Patient")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (operation(), operation()),
        (GREET, operation(levels=INSTANCE)),
        (GREET, operation(levels=INSTANCE, types=frozenset({"Patient", "Device"}))),
    ],
)
def test_two_operations_for_one_place_are_refused(one, other) -> None:
    with pytest.raises(PluginError, match="two operations"):
        Operations([one, other])


def test_operations_of_one_name_for_different_types_live_together() -> None:
    device = operation(levels=TYPE, types=frozenset({"Device"}))

    assert Operations([GREET, device]).find("greet", "type", "Device") is device


@pytest.mark.parametrize(
    ("name", "levels"), [("$greet", SYSTEM), ("", SYSTEM), ("greet", frozenset())]
)
def test_an_operation_that_nobody_could_call_is_refused(name, levels) -> None:
    with pytest.raises(ValueError, match=r"give the name|needs a level"):
        operation(name, levels)


def test_a_handler_reads_its_parameters_by_name() -> None:
    context = RequestContext(Service("fhir", "fhir", "All", types={}), "operation")
    patient = {"resourceType": "Patient"}
    parameters = given(
        HELLO,
        {"name": "greeting", "valueString": "Hi"},
        {"name": "who", "resource": patient},
    )
    call = OperationCall(context, GREET, parameters, interactions=None)

    assert call.values("greeting") == ["Hello", "Hi"]
    assert (call.value("greeting"), call.value("who")) == ("Hello", patient)
    assert (call.value("loud"), call.value("times", 1)) == (None, 1)


def test_a_query_becomes_parameters_of_the_declared_types() -> None:
    query = [("greeting", "1"), ("times", "2"), ("loud", "true"), ("_format", "json")]

    assert from_query(GREET, query) == given(
        {"name": "greeting", "valueString": "1"},
        {"name": "times", "valuePositiveInt": 2},
        {"name": "loud", "valueBoolean": True},
    )
    assert from_query(GREET, []) == {"resourceType": "Parameters"}


def test_all_problems_of_a_query_are_told_at_once() -> None:
    query = [
        ("greting", "x"),
        ("times", "two"),
        ("loud", "yes"),
        ("language", "da"),
        ("greeting", ""),
    ]

    with pytest.raises(Invalid) as told:
        from_query(GREET, query)
    assert [issue.diagnostics for issue in told.value.issues] == [
        "unknown parameter: greting; did you mean greeting?",
        "parameter times is to be of type positiveInt, not 'two'",
        "parameter loud is to be of type boolean, not 'yes'",
        "parameter language (Coding) cannot stand in a URL: POST Parameters to $greet",
        "parameter greeting is to be of type string, not ''",
    ]


def test_an_output_parameter_cannot_be_given() -> None:
    with pytest.raises(Invalid, match="unknown parameter: return"):
        from_query(GREET, [("return", "x")])


def test_parameters_are_taken_as_they_are() -> None:
    assert from_post(GREET, given(HELLO), []) == given(HELLO)
    assert from_post(GREET, None, []) == {"resourceType": "Parameters"}


def test_a_plain_resource_becomes_the_parameter_that_takes_it() -> None:
    patient = {"resourceType": "Patient"}

    assert from_post(GREET, patient, []) == given({"name": "who", "resource": patient})
    with pytest.raises(Invalid, match="takes Parameters, and not Device"):
        from_post(GREET, {"resourceType": "Device"}, [])


@pytest.mark.parametrize("body", [{"resourceType": "Patient"}, None, given(HELLO)])
def test_what_the_query_says_counts_beside_a_body(body) -> None:
    taken = from_post(GREET, body, [("times", "2")])

    assert taken["parameter"][-1] == {"name": "times", "valuePositiveInt": 2}
    with pytest.raises(Invalid, match="unknown parameter: tims"):
        from_post(GREET, body, [("tims", "2")])


def test_parameters_as_declared_have_no_problems() -> None:
    patient = {"resourceType": "Patient"}
    whole = given(
        HELLO,
        {"name": "language", "valueCoding": {"code": "da"}},
        {"name": "language", "valueCoding": {"code": "en"}},
        {"name": "who", "resource": patient},
        {"name": "room", "part": [{"name": "floor", "valueInteger": 2}]},
    )

    assert problems(GREET, whole) == []


def test_all_problems_of_parameters_are_told_with_their_places() -> None:
    wrong = given(
        {"name": "times", "valueString": "2"},
        {"name": "who", "resource": {"resourceType": "Device"}},
        {"name": "loud", "valueBoolean": True},
        {"name": "loud", "valueBoolean": False},
        {"name": "room"},
        {"name": "other"},
    )

    assert {
        (issue.diagnostics, *issue.expression) for issue in problems(GREET, wrong)
    } == {
        ("parameter times is to be of type positiveInt", "Parameters.parameter[0]"),
        ("parameter who is to be of type Patient", "Parameters.parameter[1]"),
        ("parameter loud may be given 1 times, not 2", "Parameters.parameter"),
        ("parameter floor is missing", "Parameters.parameter[4].part"),
        ("unknown parameter: other", "Parameters.parameter[5].name"),
        ("parameter greeting is missing", "Parameters.parameter"),
    }


def test_a_definition_tells_all_that_was_declared() -> None:
    definition = operation_definition(
        GREET, "http://localhost/fhir/OperationDefinition/greet"
    )

    assert definition["url"].endswith("/OperationDefinition/greet")
    assert definition["resource"] == ["Patient"]
    assert [
        definition[key] for key in ("system", "type", "instance", "affectsState")
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert definition["parameter"][0] == {
        "name": "greeting",
        "use": "in",
        "min": 1,
        "max": "1",
        "documentation": "A word.",
        "type": "string",
    }
    assert definition["parameter"][5]["part"][0]["type"] == "integer"


def test_a_definition_has_a_name_that_a_program_can_use() -> None:
    definition = operation_definition(operation("purge-all_now"), "http://example.org")

    assert definition["name"] == "PurgeAllNow"
    assert "resource" not in definition
