"""CommunicationRequests over HTTP: their states, and whose they may be."""

from itertools import product

import pytest

from ..guide import EPISODE, ext, to
from .conftest import SYSTEM
from .states import put

STATES = "draft active on-hold completed revoked entered-in-error".split()
STEPS = {
    ("draft", "active"),
    ("on-hold", "active"),
    ("active", "on-hold"),
    ("draft", "revoked"),
    ("active", "revoked"),
    ("on-hold", "revoked"),
    ("active", "completed"),
    ("on-hold", "completed"),
    *((one, "entered-in-error") for one in STATES[:-1]),
}


@pytest.fixture
def wish(clinic, episode):
    """Make what the patient of the episode wants, as it is sent."""
    patient = clinic.read(episode)["patient"]["reference"].split("/fhir/")[-1]

    def made(**more):
        own = {"extension": [ext(EPISODE, valueReference=to(episode))]}
        found = {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "subject": to(patient),
            "recipient": [to(patient)],
            **own,
            **more,
        }
        return {name: one for name, one in found.items() if one is not None}

    return made


@pytest.mark.parametrize("status", STATES)
def test_a_new_one_has_not_ended(nurse, wish, status) -> None:
    answer = nurse.create(wish(status=status))

    expected = 201 if status in ("draft", "active", "on-hold") else 422
    assert answer.status == expected, answer.issues


@pytest.mark.parametrize(("start", "end"), list(product(STATES, STATES)))
def test_what_has_ended_does_not_begin_again(clinic, nurse, wish, start, end) -> None:
    reference = clinic.put({**wish(status=start), "id": clinic.number()})

    answer = put(clinic, nurse, reference, status=end)

    allowed = start == end or (start, end) in STEPS
    assert answer.status == (200 if allowed else 422), answer.issues
    assert clinic.read(reference)["status"] == (end if allowed else start)


def test_it_has_the_tags_of_its_episode(clinic, nurse, wish) -> None:
    made = nurse.create(wish())

    stored = clinic.read(f"CommunicationRequest/{made.json['id']}")
    assert [one["code"] for one in stored["meta"]["tag"]] == ["xa"]


def test_tags_without_an_episode_are_refused(nurse, wish) -> None:
    tags = {"tag": [{"system": SYSTEM, "code": "xa"}]}

    answer = nurse.create(wish(extension=None, meta=tags))

    assert (answer.status, answer.json["issue"][0]["expression"]) == (
        422,
        ["CommunicationRequest.meta.tag"],
    )
    assert "no system tags" in answer.issues[0]


def test_one_without_an_episode_has_the_tags_of_its_request(
    clinic, nurse, plan, request_of, wish
) -> None:
    tags = {"tag": [{"system": SYSTEM, "code": "xa"}]}
    based = [to(request_of(plan))]

    for more in ({}, {"meta": tags}):
        made = nurse.create(wish(basedOn=based, extension=None, **more))

        assert made.status == 201, made.issues
        stored = clinic.read(f"CommunicationRequest/{made.json['id']}")
        assert [one["code"] for one in stored["meta"]["tag"]] == ["xa"]


def test_whose_it_is_and_what_it_is_based_on_belong_together(
    clinic, nurse, plan, request_of, team, wish
) -> None:
    based = [to(request_of(plan))]
    foreign = to(clinic.patient())
    other = clinic.episode(team, tags=("xa",))
    assert nurse.create(wish(basedOn=based)).status == 201
    # One that leaves the episode to its request, as was recorded.
    assert nurse.create(wish(basedOn=based, extension=None)).status == 201

    answer = nurse.create(
        wish(
            basedOn=based,
            subject=foreign,
            extension=[ext(EPISODE, valueReference=to(other))],
        )
    )

    assert answer.status == 422
    told = [one["expression"][0].partition(".")[2] for one in answer.json["issue"]]
    assert told == ["basedOn[0]", "basedOn[0]", "recipient[0]"]
    assert "the context EpisodeOfCare/" in answer.issues[0]
    assert "the subject Patient/" in answer.issues[1]
    assert "is the recipient" in answer.issues[2]


def test_it_may_be_deleted(clinic, nurse, wish) -> None:
    made = nurse.create(wish(status="active"))

    assert nurse.delete(f"CommunicationRequest/{made.json['id']}").status in (200, 204)
