"""Whatever is submitted: never a server error, and nothing is stored of what is refused."""

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

any_input = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "resourceType id meta tag entry fullUrl resource extension url subject"
                " basedOn status content data item linkId answer target entity what"
                " policy reference valueReference code coding system".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
KINDS = st.sampled_from(
    "Observation Media QuestionnaireResponse Provenance Patient Bundle Binary".split()
)


@pytest.fixture
def nothing_stored(world):
    """Send a body that is refused; see that nothing was stored."""
    before = world.stored()

    def sent(body):
        answer = world.measurement.post("$submit-measurement", body)
        assert 400 <= answer.status < 500, answer.body
        assert answer.json["resourceType"] == "OperationOutcome"
        assert world.stored() == before

    return sent


@any_input
@given(body=JSON)
def test_any_json_is_refused(nothing_stored, body) -> None:
    nothing_stored(json.dumps(body))


@any_input
@given(entries=st.lists(st.tuples(KINDS, JSON), max_size=3))
def test_any_resources_are_refused(nothing_stored, make, entries) -> None:
    made = []
    for kind, value in entries:
        more = value if isinstance(value, dict) else {"status": value}
        made.append({"resource": {**more, "resourceType": kind}})
    bundle = {"resourceType": "Bundle", "type": "transaction"}

    nothing_stored(make.given({**bundle, "entry": made} if made else bundle))


def places(value, path=()) -> Iterator[tuple]:
    """Go through all places of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in members:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


def test_a_submission_with_any_part_spoilt_is_refused_or_stored_whole(
    world, make
) -> None:
    """Each element in turn is left out, or is something else."""
    asked, order = world.a_questionnaire(
        {"linkId": "1", "type": "integer", "required": True}
    )
    answers = {"linkId": "1", "answer": [{"valueInteger": 1}]}
    allowed = {
        "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-reuseCriteria",
        "extension": [{"url": "allowed", "valueBoolean": True}],
    }
    reused = world.an_order(extension=[allowed])
    (past,) = world.submitted(world.observation(reused))
    target = "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"
    whole = make.bundle(
        {**world.observation(reused), "fullUrl": target},
        world.media(order),
        world.response(asked, order, answers),
        world.reuse(target, f"Observation/{past['id']}"),
    )
    chance = random.Random(1)
    others = ["x", "", 7, None, [], {}, ["x"], {"reference": "x"}, "Patient/x", True]

    for place in list(places(whole)):
        spoilt = json.loads(json.dumps(whole))
        at = spoilt
        for key in place[:-1]:
            at = at[key]
        if chance.random() < 0.5:
            del at[place[-1]]
        else:
            at[place[-1]] = chance.choice(others)
        before = world.stored()

        answer = world.measurement.post("$submit-measurement", make.given(spoilt))

        assert answer.status == 200 or 400 <= answer.status < 500, (place, answer.body)
        if answer.status != 200:
            assert world.stored() == before, place
            assert answer.json["resourceType"] == "OperationOutcome"


@any_input
@given(name=st.sampled_from(["", "-bundle-limit"]), body=JSON)
def test_any_search_is_answered_or_refused(world, name, body) -> None:
    answer = world.measurement.post(f"$search-measurements{name}", json.dumps(body))

    assert 400 <= answer.status < 500, answer.body


@any_input
@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "patient": st.text(max_size=20),
            "episodeOfCare": st.sampled_from(["EpisodeOfCare/x", "x", "http://x/y"]),
            "based-on": st.text(max_size=20),
            "start": st.sampled_from(["2026", "2026-01-01T00:00:00Z", "9999-12-31"]),
            "end": st.sampled_from(["2026-02", "0001-01-01"]),
            "count": st.integers(-2, 102),
        },
    )
)
def test_any_limited_search_is_answered_or_refused(world, values) -> None:
    keys = {"start": "valueDateTime", "end": "valueDateTime", "count": "valueInteger"}
    given_values = [
        {"name": name, keys[name]: value}
        if name in keys
        else {"name": name, "valueReference": {"reference": value}}
        for name, value in values.items()
    ]
    mine = {
        "name": "patient",
        "valueReference": {"reference": f"Patient/{world.patient}"},
    }
    if "patient" not in values:
        given_values.append(mine)
    body = {"resourceType": "Parameters", "parameter": given_values}

    answer = world.measurement.post("$search-measurements-bundle-limit", body)

    assert answer.status in (200, 400, 422), answer.body
