"""``$create-clone``: next versions and copies, alone and with what they lead to."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from fyr.core.testing.applications import Events
from fyr.core.testing.principals import PATIENT

from ..guide import EHEALTH, ext
from .conftest import KINDS, activity, author, definition, plan, role, told, url

RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
_NUMBERS = count(1)


def clone(authors, resource, how="minor-version", *listed, who=None, default=None):
    """Ask for a clone; with references, only these go with it."""
    given = [{"name": "clone-operation", "valueCoding": {"code": how}}] if how else []
    if default is not None:
        given.append({"name": "default-clone-behavior", "valueBoolean": default})
    given += [
        {"name": "deep-clone-references", "valueReference": {"reference": one}}
        for one in listed
    ]
    place = f"{resource['resourceType']}/{resource['id']}/$create-clone"
    body = {"resourceType": "Parameters", "parameter": given}
    return authors.at(resource["resourceType"], who).post(place, body)


def places(answer):
    return [one["expression"] for one in answer.json["issue"]]


def cloned(authors, resource, *more, **how):
    answer = clone(authors, resource, *more, **how)
    assert answer.status == 200, answer.body
    assert answer.json["type"] == "collection"
    return {one["fullUrl"]: one["resource"] for one in answer.json["entry"]}


def kept(resource, name):
    """Tell the value of an identifier among the extensions."""
    (found,) = [one for one in resource["extension"] if one["url"] == EHEALTH + name]
    return found["valueIdentifier"]["value"]


def name(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def active(authors, kind, **more):
    if kind == "PlanDefinition":
        return authors.published(plan(authors.published(activity()), **more))
    return authors.published(definition(kind, **more))


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def questionnaire(guarded):
    return guarded.published(definition("Questionnaire"))


@pytest.fixture
def document(guarded):
    content = [{"attachment": {"url": "https://example.org/leaflet", "size": 1}}]
    made = {"resourceType": "DocumentReference", "status": "current"}
    profile = {"profile": [EHEALTH + "documentreference"]}
    return guarded.load({**made, "content": content, "meta": profile})


def measured(authors, questionnaire, *documents, **more):
    """Publish an activity that has a questionnaire and documents."""
    parts = [{"type": "composed-of", "resource": url(name(questionnaire))}]
    parts += [
        {"type": "documentation", "resource": f"{url(name(one))}/_history/1"}
        for one in documents
    ]
    return authors.published(activity(relatedArtifact=parts, **more))


def test_the_next_version_is_a_draft_that_names_the_one_before(guarded, kind) -> None:
    first = active(guarded, kind, title="Lungs")

    (made,) = (
        one
        for one in cloned(
            guarded, first, default=False if kind != KINDS[2] else None
        ).values()
        if one["resourceType"] == kind
    )

    assert (made["status"], made["version"], made["title"]) == ("draft", "1.1", "Lungs")
    assert kept(made, "base") == kept(first, "base")
    assert kept(made, "base-environment") == kept(first, "base-environment")
    assert kept(made, "predecessor") == first["identifier"][0]["value"]
    assert made["identifier"] != first["identifier"]
    assert "approvalDate" not in made


@pytest.mark.parametrize(
    ("how", "version"), [("minor-version", "1.10"), ("major-version", "2.0")]
)
def test_versions_are_integers_with_dots_between_them(guarded, how, version) -> None:
    first = active(guarded, "ActivityDefinition", version="1.9")

    (made,) = cloned(guarded, first, how).values()

    assert made["version"] == version


def test_a_version_comes_after_all_there_are(guarded) -> None:
    first = active(guarded, "Questionnaire")
    (second,) = cloned(guarded, first).values()
    guarded.updated({**second, "status": "active"})

    (third,) = cloned(guarded, first).values()

    assert third["version"] == "1.2"


def test_a_base_has_one_draft(guarded, kind) -> None:
    first = active(guarded, kind)
    alone = {} if kind == "Questionnaire" else {"default": False}
    cloned(guarded, first, **alone)

    answer = clone(guarded, first, "major-version", **alone)

    code = "VERSIONING_MULTIPLE_DRAFTS_IN_BASE_NOT_ALLOWED"
    assert (answer.status, told(answer)) == (422, [code])
    # A copy could be made.
    assert places(answer) == [["Parameters.parameter[0].value"]]


def test_a_copy_begins_a_base_that_belongs_to_who_made_it(guarded, kind) -> None:
    first = active(guarded, kind, version="3.4", url=f"urn:x:{next(_NUMBERS)}")

    made = cloned(guarded, first, "copy", who=author(2)).values()

    (copy,) = (one for one in made if one["resourceType"] == kind)
    assert (copy["status"], copy["version"]) == ("draft", "1.0")
    assert kept(copy, "base") != kept(first, "base")
    assert kept(copy, "predecessor") == first["identifier"][0]["value"]
    assert "url" not in copy
    assert guarded.update({**copy, "title": "Ours"}, author(2)).status == 200
    assert guarded.update({**copy, "title": "Mine"}, author(1)).status == 403


def test_plans_and_activities_below_go_with_a_plan_unless_it_is_said(
    guarded, questionnaire
) -> None:
    asked = measured(guarded, questionnaire)
    below = guarded.published(plan(asked))
    root = guarded.published(plan(below, asked))

    made = cloned(guarded, root)

    kinds = sorted(one["resourceType"] for one in made.values())
    assert kinds == ["ActivityDefinition", "PlanDefinition", "PlanDefinition"]
    *_, new_root = made.values()
    led = [one["definitionCanonical"] for one in new_root["action"]]
    assert set(led) <= set(made)
    (again,) = made[led[0]]["action"]
    assert again["definitionCanonical"] == led[1]
    shared = made[led[1]]["relatedArtifact"][0]["resource"]
    assert shared == url(name(questionnaire))


def test_only_what_is_listed_goes_with_it(guarded, questionnaire, document) -> None:
    first = measured(guarded, questionnaire, document)

    listed = [url(name(questionnaire)), url(name(document))]
    made = cloned(guarded, first, "minor-version", *listed, default=False)

    *others, new = made.values()
    assert {one["resourceType"] for one in others} == {
        "Questionnaire",
        "DocumentReference",
    }
    by_type = {one["resourceType"]: url(name(one)) for one in others}
    assert [one["resource"] for one in new["relatedArtifact"]] == [
        by_type["Questionnaire"],
        f"{by_type['DocumentReference']}/_history/1",
    ]


def test_what_is_no_part_of_it_cannot_go_with_it(guarded, questionnaire) -> None:
    first = active(guarded, "ActivityDefinition")

    answer = clone(guarded, first, "minor-version", url(name(questionnaire)))

    code = "VERSIONING_REFERENCE_NOT_RELEVANT_FOR_RESOURCE"
    assert (answer.status, told(answer)) == (422, [code])
    assert places(answer) == [["Parameters.parameter[1].value"]]


def test_what_goes_with_it_needs_its_way_to_it(guarded, questionnaire) -> None:
    asked = measured(guarded, questionnaire)
    root = guarded.published(plan(asked))

    answer = clone(guarded, root, "minor-version", url(name(questionnaire)))

    code = "VERSIONING_REFERENCE_MISSING_IN_TREE_PATH"
    assert (answer.status, told(answer)) == (422, [code])
    assert name(asked) in answer.issues[0]
    assert places(answer) == [["Parameters.parameter[1].value"]]
    both = [url(name(questionnaire)), url(name(asked))]
    assert len(cloned(guarded, root, "minor-version", *both)) == 3


@pytest.mark.parametrize("version", ["first", "1.a", "1."])
def test_what_has_no_number_cannot_be_cloned(guarded, version) -> None:
    first = active(guarded, "Questionnaire", version=version)

    answer = clone(guarded, first)

    code = "VERSIONING_RESOURCE_NOT_ELIGIBLE_FOR_CLONE"
    assert (answer.status, told(answer)) == (422, [code])
    assert places(answer) == [["Questionnaire.version"]]


def test_what_is_wrong_below_is_told_by_the_way_to_it(guarded) -> None:
    unnumbered = guarded.published(activity(version="first"))
    below = guarded.published(plan(unnumbered))
    other = guarded.published(activity())
    root = guarded.published(plan(other, below))

    answer = clone(guarded, root, "copy")
    listed = clone(
        guarded, root, "copy", url(name(other)), url(name(below)), url(name(unnumbered))
    )

    code = "VERSIONING_RESOURCE_NOT_ELIGIBLE_FOR_CLONE"
    assert (answer.status, told(answer)) == (422, [code])
    way = "PlanDefinition.action[1].definitionCanonical.resolve()"
    assert places(answer) == [[f"{way}.action[0].definitionCanonical"]]
    assert (told(listed), places(listed)) == (
        [code],
        [["Parameters.parameter[3].value"]],
    )


def test_versions_are_made_where_the_first_one_was(guarded) -> None:
    where = {"system": "x", "value": "elsewhere"}
    first = guarded.load(
        definition(
            "Questionnaire",
            extension=[
                role(1, "owner"),
                ext("base-environment", valueIdentifier=where),
            ],
        )
    )

    answer = clone(guarded, first)

    code = "VERSIONING_RESOURCE_MUST_BE_FROM_CURRENT_ENVIRONMENT"
    assert (answer.status, told(answer)) == (422, [code])
    assert "elsewhere" in answer.issues[0]
    assert len(cloned(guarded, first, "copy")) == 1


@pytest.mark.parametrize("how", [None, "patch-version"])
def test_which_clone_is_said(guarded, how) -> None:
    assert clone(guarded, active(guarded, "Questionnaire"), how).status == 400


def test_a_definition_that_is_not_there_is_not_found(guarded) -> None:
    nowhere = {"resourceType": "PlanDefinition", "id": "nowhere"}

    assert clone(guarded, nowhere).status == 404


def test_versions_are_made_by_their_modifiers(guarded, kind) -> None:
    first = active(guarded, kind)

    assert clone(guarded, first, who=author(2)).status == 403
    assert clone(guarded, first, "copy", who=PATIENT).status == 403


@pytest.mark.parametrize("word", ["read", "search", "create"])
def test_privileges_cover_each_type_that_is_made(guarded, questionnaire, word) -> None:
    first = measured(guarded, questionnaire)
    lacking = author(1, f"Questionnaire.{word}")

    answer = clone(
        guarded, first, "minor-version", url(name(questionnaire)), who=lacking
    )

    assert answer.status == 403
    assert len(cloned(guarded, first, who=lacking)) == 1


def test_all_is_made_or_nothing_and_told_once(guarded, questionnaire) -> None:
    asked = measured(guarded, questionnaire)
    root = guarded.published(plan(asked))
    events = Events(guarded.built)
    events.new()
    cloned(guarded, asked)
    assert [one.subject.split("/")[0] for one in events.new()] == ["ActivityDefinition"]

    # The activity below has a draft now.
    assert clone(guarded, root).status == 422
    assert events.new() == []
    copies = cloned(guarded, root, "copy")
    assert sorted(one.subject for one in events.new()) == sorted(
        name(one) for one in copies.values()
    )


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded exchanges are not here")
def test_a_clone_has_the_shape_that_was_recorded(
    guarded, questionnaire, document
) -> None:
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    recorded = next(
        one["response_body"]
        for one in map(json.loads, lines)
        if one["name"] == "POST_ActivityDefinition_create-clone"
    )
    first = measured(guarded, questionnaire, document)
    listed = [url(name(questionnaire)), url(name(document))]

    made = list(cloned(guarded, first, "minor-version", *listed).values())

    wanted = [one["resource"] for one in recorded["entry"]]
    for kind in ("ActivityDefinition", "DocumentReference", "Questionnaire"):
        then = next(one for one in wanted if one["resourceType"] == kind)
        now = next(one for one in made if one["resourceType"] == kind)
        own = {"sharingPolicy", "sharingApprovalPolicy", "questionnaire-type"}
        names = {
            one["url"].partition("ehealth-")[2] for one in then.get("extension", ())
        } - own
        assert names <= {
            one["url"].partition("ehealth-")[2] for one in now.get("extension", ())
        }
        assert then.keys() - now.keys() <= {"topic", "code", "name", "type", "date"}
