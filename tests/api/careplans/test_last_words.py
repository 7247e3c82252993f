"""Of consents that hold at the same moment the last word counts, whoever has said it."""

import pytest

from ..guide import to
from .states import after, patch, to_status, work


@pytest.fixture
def active(clinic, team):
    return clinic.episode(team, status="active")


def status(clinic, episode):
    return clinic.read(episode)["status"]


def said(clinic, episode, kind="permit", **more):
    """Store what somebody says now."""
    data = [{"meaning": "instance", "reference": to(episode)}]
    period = {"period": more.pop("period")} if "period" in more else {}
    dated = {"dateTime": more.pop("dateTime", after(clinic))}
    provision = {"data": data, "type": kind, **period}
    found = clinic.consent(episode, provision=provision, **dated, **more)
    work(clinic, minutes=1)
    return found


def again(clinic, consent, end=None, **more):
    """Change what is stored; with an end, in what it says."""
    found = {**clinic.read(consent), **more}
    if end is not None:
        found["provision"] = {**found["provision"], "period": {"end": end}}
    clinic.put(found)
    work(clinic, minutes=1)


def may_go_on(clinic, nurse, episode):
    """Whether care that is paused may go on."""
    if status(clinic, episode) == "active":
        clinic.put({**clinic.read(episode), "status": "onhold"})
    return patch(nurse, episode, to_status("active")).status == 200


def test_a_consent_that_is_prolonged_is_the_last_word(clinic, nurse, active) -> None:
    """It keeps the date at which it was given first."""
    consent = said(clinic, active, period={"end": after(clinic, days=1)})
    said(clinic, active, "deny")
    assert status(clinic, active) == "onhold"
    assert not may_go_on(clinic, nurse, active)

    again(clinic, consent, end=after(clinic, days=9))

    assert may_go_on(clinic, nurse, active)
    work(clinic, hours=1)
    assert status(clinic, active) == "active"


def test_a_denial_that_is_prolonged_is_the_last_word(clinic, nurse, active) -> None:
    denial = said(clinic, active, "deny", period={"end": after(clinic, days=1)})
    said(clinic, active)
    assert may_go_on(clinic, nurse, active)

    again(clinic, denial, end=after(clinic, days=9))

    assert status(clinic, active) == "onhold"
    assert not may_go_on(clinic, nurse, active)


def test_what_is_given_again_after_it_was_taken_back_is_said_then(
    clinic, nurse, active
) -> None:
    consent = said(clinic, active)
    again(clinic, consent, status="inactive")
    said(clinic, active, "deny")
    assert not may_go_on(clinic, nurse, active)

    again(clinic, consent, status="active")

    assert may_go_on(clinic, nurse, active)


@pytest.mark.parametrize(
    "changed",
    [
        {"identifier": [{"value": "of the journal"}]},
        {"meta": {"tag": [{"system": "urn:x", "code": "y"}]}},
    ],
    ids=["identifier", "tag"],
)
def test_what_is_changed_beside_what_it_says_is_no_word(
    clinic, nurse, active, changed
) -> None:
    consent = said(clinic, active)
    said(clinic, active, "deny")

    again(clinic, consent, **changed)
    again(clinic, consent)

    assert not may_go_on(clinic, nurse, active)


@pytest.mark.parametrize("dated", [True, False])
def test_one_that_is_prolonged_with_a_date_of_its_own_counts_by_that(
    clinic, nurse, active, dated
) -> None:
    consent = said(clinic, active, period={"end": after(clinic, days=1)})
    between = after(clinic)
    work(clinic, minutes=1)
    said(clinic, active, "deny")

    more = {"dateTime": between} if dated else {}
    again(clinic, consent, end=after(clinic, days=9), **more)

    assert may_go_on(clinic, nurse, active) is not dated


def test_a_consent_that_is_prolonged_with_the_step_lets_it_be_made(
    clinic, active
) -> None:
    consent = said(clinic, active)
    said(clinic, active, "deny")
    stored = clinic.read(consent)
    provision = {**stored["provision"], "period": {"end": after(clinic, days=9)}}
    episode = {**clinic.read(active), "status": "active"}
    assert status(clinic, active) == "onhold"

    clinic.built.act(
        lambda acting: acting.store([episode, {**stored, "provision": provision}])
    )

    assert status(clinic, active) == "active"


def test_a_denial_counts_while_it_holds_and_no_longer(clinic, nurse, active) -> None:
    said(clinic, active)
    said(clinic, active, "deny", period={"end": after(clinic, hours=2)})
    assert status(clinic, active) == "onhold"
    assert not may_go_on(clinic, nurse, active)

    work(clinic, hours=2)

    assert may_go_on(clinic, nurse, active)


@pytest.mark.parametrize("ahead", ["dateTime", "period"])
def test_a_consent_that_comes_later_beats_no_denial_that_holds(
    clinic, nurse, active, ahead
) -> None:
    said(clinic, active)
    said(clinic, active, "deny")
    later = after(clinic, hours=2)
    said(
        clinic,
        active,
        **(
            {"period": {"start": later}, "dateTime": later}
            if ahead == "period"
            else {"dateTime": later}
        ),
    )
    assert status(clinic, active) == "onhold"
    assert not may_go_on(clinic, nurse, active)

    work(clinic, hours=2)

    assert may_go_on(clinic, nurse, active)


def test_a_clock_that_is_a_little_ahead_dates_nothing_ahead(
    clinic, nurse, active
) -> None:
    said(clinic, active, "deny")
    clinic.consent(active, dateTime=after(clinic, minutes=4))

    assert may_go_on(clinic, nurse, active)


def test_a_denial_that_is_dated_ahead_pauses_care_then(clinic, active) -> None:
    said(clinic, active)
    said(clinic, active, "deny", dateTime=after(clinic, hours=2))

    work(clinic, hours=1)
    assert status(clinic, active) == "active"
    work(clinic, hours=1)
    assert status(clinic, active) == "onhold"


def test_one_that_was_deleted_between_is_said_when_it_comes_again(
    clinic, nurse, active
) -> None:
    consent = said(clinic, active, dateTime="2020-01-01T00:00:00Z")
    stored = clinic.read(consent)
    clinic.built.act(lambda acting: acting.delete(consent))
    said(clinic, active, "deny")
    del stored["dateTime"]
    clinic.put(stored)

    assert may_go_on(clinic, nurse, active)
