"""Libraries, action guidances and views: what they must have, and what may change."""

from __future__ import annotations

from types import ModuleType

import pytest

from fyr.core import RuleOutcome, hookimpl
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT
from fyr.core.workflow.explaining import explain

from ..guide import ext
from .conftest import concept, role, system, told

TYPES = "http://ehealth.sundhed.dk/cs/basic-resource-type"
STATES = ("draft", "active", "retired")
STEPS = {
    ("draft", "draft"),
    ("draft", "active"),
    ("draft", "retired"),
    ("active", "active"),
    ("active", "retired"),
    ("retired", "retired"),
}
SOURCE = "cnVsZSAibm90IG91cnMi"


def library(**more):
    return {
        "resourceType": "Library",
        "status": "draft",
        "version": "1",
        "type": concept("logic-library"),
        "extension": [role(1, "owner")],
        "parameter": [{"use": "in", "type": "Observation"}],
        **more,
    }


def guidance(state, code="actionguidance", **more):
    extension = [role(1, "owner"), ext("status", valueCoding={"code": state})]
    coding = {"coding": [{"system": TYPES, "code": code}]}
    return {"resourceType": "Basic", "code": coding, "extension": extension, **more}


def moved(stored, state, *more):
    others = [one for one in stored["extension"] if "ehealth-status" not in one["url"]]
    status = ext("status", valueCoding={"code": state})
    return {**stored, "extension": [*others, status, *more]}


@pytest.fixture
def libraries(guarded):
    from fyr.core.testing.client import Client

    return Client(guarded.all.wsgi, "/library/fhir").acting_as(system())


def test_a_library_has_one_modifier_and_says_what_it_takes(libraries) -> None:
    bare = library(extension=[role(1, "owner"), role(2, "co-author")])
    del bare["parameter"]

    answer = libraries.create(bare)

    assert (answer.status, told(answer)) == (422, ["GENERAL_VALIDATION_ERROR"] * 2)
    assert libraries.create(library()).status == 201


def test_a_source_that_nothing_here_runs_is_kept_as_it_came(libraries) -> None:
    content = [{"contentType": "text/x-other-rules", "data": SOURCE}]

    stored = libraries.create(library(content=content)).json

    assert libraries.get(f"Library/{stored['id']}").json["content"] == content


NOT_RUN = (
    "no engine of this server runs rules of its type (text/x-other-rules): they are kept"
    " as they came, and a measurement for them becomes an urgent Task instead"
)


def warnings(answer):
    return [
        one["diagnostics"]
        for one in answer.json["issue"]
        if one["severity"] == "warning"
    ]


def test_who_stores_a_source_that_nothing_here_runs_is_told(libraries) -> None:
    one = library(content=[{"contentType": "text/x-other-rules", "data": SOURCE}])

    created = libraries.create(one, Prefer="return=OperationOutcome")
    validated = libraries.post(
        "Library/$validate",
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "resource", "resource": one}],
        },
    )

    assert created.status == 201
    assert (warnings(created), warnings(validated)) == ([NOT_RUN], [NOT_RUN])


def test_who_stores_a_library_that_will_get_no_earlier_data_is_told(libraries) -> None:
    since = {"path": "effective", "valueDuration": {"value": 14, "code": "d"}}
    asked = [
        {"type": "Observation"},
        {"type": "Observation", "limit": 10},
        {"type": "Observation", "dateFilter": [since]},
        {"type": "Media", "limit": 501},
    ]

    answer = libraries.create(
        library(dataRequirement=asked), Prefer="return=OperationOutcome"
    )

    assert answer.status == 201
    places = [one["expression"] for one in answer.json["issue"] if "expression" in one]
    assert places == [["Library.dataRequirement[0]"], ["Library.dataRequirement[3]"]]
    assert "A duration or a limit is missing" in warnings(answer)[0]


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "Observation", "limit": "many"},
        "all",
        {"dateFilter": [3], "type": "Media"},
    ],
)
def test_earlier_data_that_is_asked_for_by_nonsense_is_refused(
    libraries, asked
) -> None:
    given = {"name": "resource", "resource": library(dataRequirement=[asked])}
    validated = libraries.post(
        "Library/$validate", {"resourceType": "Parameters", "parameter": [given]}
    )

    assert libraries.create(library(dataRequirement=[asked])).status == 400
    assert validated.status < 500


@pytest.mark.parametrize("more", [{}, {"type": concept("asset-collection")}])
def test_a_library_that_is_not_to_be_run_gives_no_warning(libraries, more) -> None:
    content = [{"contentType": "text/x-other-rules", "data": SOURCE}]
    one = library(**more, **({"content": content} if more else {}))

    answer = libraries.create(one, Prefer="return=OperationOutcome")

    assert (answer.status, warnings(answer)) == (201, [])


def test_whether_a_library_is_run_is_explained_to_operators(guarded) -> None:
    content = [{"contentType": "text/x-other-rules", "data": SOURCE}]
    stored = guarded.load(library(content=content))

    found = explain(guarded.built, f"Library/{stored['id']}")

    assert [one.diagnostics for one in found.told] == [NOT_RUN]


@pytest.mark.parametrize("answers", [True, False])
def test_an_engine_of_its_type_takes_the_warning_away(tmp_path, answers) -> None:
    engine = ModuleType("engine")

    @hookimpl
    def evaluate_rules(library):
        if not answers:
            raise RuntimeError("out of order")
        return RuleOutcome()

    engine.evaluate_rules = evaluate_rules
    enabled = ["search", "administrative", "clinical", "engine"]
    settings = settings_with({"plugins": {"enabled": enabled}}, tmp_path)
    with application(settings, FakeClock(), {"engine": engine}) as built:
        one = library(content=[{"contentType": "text/x-other-rules", "data": SOURCE}])
        answer = client_of(built).create(one, Prefer="return=OperationOutcome")

    assert (answer.status, warnings(answer)) == (201, [])


def test_identifiers_of_a_library_stay(libraries) -> None:
    named = [{"system": "urn:x", "value": "1"}]
    stored = libraries.create(library(identifier=named)).json

    answer = libraries.update({**stored, "identifier": [{"value": "2"}]})

    assert told(answer) == ["LIBRARY_IDENTIFIER_UPDATE_RESTRICTED"]
    assert libraries.update({**stored, "title": "x"}).status == 200


@pytest.mark.parametrize("code", ["actionguidance", "view"])
@pytest.mark.parametrize("end", STATES)
@pytest.mark.parametrize("start", STATES)
def test_a_guidance_goes_by_its_table(guarded, code, start, end) -> None:
    stored = guarded.made(guidance("draft", code))
    if start != "draft":
        stored = guarded.updated(moved(stored, start))

    answer = guarded.update(moved(stored, end))

    if (start, end) in STEPS:
        assert answer.status == 200
    else:
        wrong = "ACTIONGUIDANCEVIEW_ILLEGAL_STATUS_CHANGE"
        assert (answer.status, told(answer)) == (422, [wrong])


def test_a_guidance_begins_as_a_draft(guarded) -> None:
    answer = guarded.create(guidance("active"))

    assert told(answer) == ["ACTIONGUIDANCEVIEW_ILLEGAL_STATUS_CHANGE"]
    assert guarded.create(guidance("draft"), PATIENT).status == 403


def test_outside_of_drafts_a_guidance_changes_only_who_it_is_for(guarded) -> None:
    stored = guarded.made(guidance("draft"))
    active = guarded.updated(moved(stored, "active"))
    audience = ext("intendedAudience", valueReference={"reference": "Organization/9"})
    title = ext("basic-title", valueString="Breathe")

    shown = guarded.updated(moved(active, "active", audience, role(2, "co-author")))
    answer = guarded.update(moved(shown, "active", title))

    wrong = "ACTIONGUIDANCEVIEW_ILLEGAL_CHANGE_OF_ELEMENTS"
    assert (answer.status, told(answer)) == (422, [wrong])
    assert "ehealth-basic-title" in answer.issues[0]


def test_other_basics_go_by_no_table(guarded) -> None:
    other = {"resourceType": "Basic", "code": concept("loan")}

    assert guarded.load(other)["resourceType"] == "Basic"
