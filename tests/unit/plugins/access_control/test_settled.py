"""What is remembered of a decision: nothing that could let in who is shut out now."""

from typing import Any

import pytest

from fyr.core import Principal, Subject
from fyr.plugins.access_control.decisions import settled
from fyr.plugins.access_control.decisions.caller import Caller
from fyr.plugins.access_control.decisions.settled import Noting, Settled

BODY = b'{"resourceType":"Observation","id":"1"}'
TEAMS = {"team": ["a"]}


class Looks:
    """Finds what it was given, and counts how often it is asked."""

    def __init__(self, **found: Any) -> None:
        self.found = found
        self.asked: list[str] = []

    def read(self, reference: str) -> Any:
        self.asked.append(reference)
        return self.found.get(reference)

    def search(self, resource_type: str, /, **criteria: str) -> list[Any]:
        return []


def a_caller() -> Caller:
    return Caller(Principal("PRACTITIONER", "Practitioner/1"), str)


def subject(body: bytes = BODY, **other: Any) -> Subject:
    named = {"resource_type": "Observation", "resource_id": "1", "body": body}
    return Subject(**{**named, **other})


def decided(caller: Caller, look: Looks, about: Subject | None = None) -> Settled:
    """Have a decision remembered that looked the episode up."""
    made, noting = Settled(), Noting(look)
    noting.read("E")
    made.note(caller, about or subject(), noting)
    return made


def test_the_same_bytes_and_the_same_that_was_looked_up_are_settled() -> None:
    caller, look = a_caller(), Looks(E=TEAMS)
    known = decided(caller, look)

    assert known.holds(caller, subject(), look)
    # It was asked for again.
    assert look.asked == ["E", "E"]


def test_what_was_looked_up_and_is_another_now_settles_nothing() -> None:
    caller = a_caller()
    known = decided(caller, Looks(E=TEAMS))

    assert not known.holds(caller, subject(), Looks(E={"team": ["b"]}))
    assert not known.holds(caller, subject(), Looks())


def test_what_was_not_there_and_is_now_settles_nothing() -> None:
    caller = a_caller()
    known = decided(caller, Looks())

    assert known.holds(caller, subject(), Looks())
    assert not known.holds(caller, subject(), Looks(E=TEAMS))


@pytest.mark.parametrize(
    "other",
    [
        {"body": BODY + b" "},
        {"resource_id": "2"},
        {"resource_type": "Media"},
    ],
)
def test_another_resource_or_version_of_it_is_not_settled(other: Any) -> None:
    caller, look = a_caller(), Looks(E=TEAMS)

    assert not decided(caller, look).holds(caller, subject(**other), look)


def test_nobody_else_is_let_in_by_it_even_with_an_equal_token() -> None:
    look = Looks(E=TEAMS)

    assert not decided(a_caller(), look).holds(a_caller(), subject(), look)


def test_a_decision_that_searched_is_made_again() -> None:
    caller, look, known = a_caller(), Looks(), Settled()
    noting = Noting(look)
    noting.search("EpisodeOfCare", patient="Patient/1")
    known.note(caller, subject(), noting)

    assert not known.holds(caller, subject(), look)


def test_what_has_no_bytes_yet_or_long_ones_is_not_remembered() -> None:
    caller, look = a_caller(), Looks(E=TEAMS)
    for about in (subject(b""), subject(b" " * 4097)):
        assert not decided(caller, look, about).holds(caller, about, look)


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "_MOST", 3)
    caller, look, known = a_caller(), Looks(), Settled()
    for number in range(10):
        known.note(caller, subject(resource_id=str(number)), Noting(look))
        assert len(known._known) <= 3
