"""A consent to take part that runs out pauses the care, at the moment when it does."""

from contextlib import suppress
from datetime import timedelta
from threading import Thread

import pytest

from fyr.core.context import Principal
from fyr.core.errors import Conflict, Unavailable
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.workflow.explaining import explain

from ..guide import to
from .conftest import Clinic, options
from .states import after, consents_from, patch, to_status, work

TOLD = ("ehealth-episodeofcare.status", "updated")


def status(clinic, episode):
    return clinic.read(episode)["status"]


@pytest.fixture
def active(clinic, team):
    return clinic.episode(team, status="active")


def test_care_pauses_when_the_consent_runs_out(clinic, active) -> None:
    consents_from(clinic, active, end=after(clinic, hours=2))
    work(clinic, hours=1)
    assert status(clinic, active) == "active"
    clinic.told()

    work(clinic, hours=1, seconds=1)

    assert status(clinic, active) == "onhold"
    assert clinic.told(active).count(TOLD) == 1
    work(clinic, days=1)
    assert clinic.told(active) == []


def test_a_consent_holds_to_the_very_end(clinic, active) -> None:
    consents_from(clinic, active, end=after(clinic, hours=2))

    work(clinic, hours=2)
    assert status(clinic, active) == "active"
    work(clinic, seconds=0.001)
    assert status(clinic, active) == "onhold"


def test_a_last_day_is_over_at_danish_midnight(clinic, active) -> None:
    work(clinic, hours=(-clinic.clock().hour + 12) % 24)
    consents_from(clinic, active, end=f"{clinic.clock():%Y-%m-%d}")
    midnight = clinic.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    summer = 4 <= clinic.clock().month <= 9
    left = midnight + timedelta(hours=22 if summer else 23) - clinic.clock()

    work(clinic, seconds=left.total_seconds() - 1)
    assert status(clinic, active) == "active"
    work(clinic, seconds=1)
    assert status(clinic, active) == "onhold"


def test_a_consent_that_is_prolonged_pauses_nothing_before_its_new_end(
    clinic, active
) -> None:
    consent = consents_from(clinic, active, end=after(clinic, hours=2))
    work(clinic)
    stored = clinic.read(consent)
    stored["provision"]["period"] = {"end": after(clinic, hours=5)}
    clinic.put(stored)

    work(clinic, hours=4)
    assert status(clinic, active) == "active"
    work(clinic, hours=2)
    assert status(clinic, active) == "onhold"


@pytest.mark.parametrize(
    "changed", [{}, {"status": "entered-in-error"}], ids=["no end", "mistake"]
)
def test_nothing_waits_for_a_consent_that_has_no_end_any_more(
    clinic, active, changed
) -> None:
    consent = consents_from(clinic, active, end=after(clinic, hours=2))
    work(clinic)
    assert len(clinic.built.timers.of(consent)) == 1
    stored = clinic.read(consent)
    del stored["provision"]["period"]
    clinic.put({**stored, **changed})

    work(clinic)

    assert clinic.built.timers.of(consent) == []


def test_an_episode_is_explained_with_what_waits_of_its_consents(
    clinic, active, team
) -> None:
    later = consents_from(clinic, active, end=after(clinic, hours=5))
    sooner = consents_from(clinic, active, end=after(clinic, hours=2))
    consents_from(clinic, clinic.episode(team), end=after(clinic, hours=1))
    work(clinic)

    waiting = explain(clinic.built, active).timers

    assert [one.subject for one in waiting] == [sooner, later]
    assert {one.name for one in waiting} == {"clinical.consent-periods"}
    assert [one.subject for one in explain(clinic.built, later).timers] == [later]


def test_another_consent_that_holds_lets_care_go_on(clinic, active) -> None:
    consents_from(clinic, active, end=after(clinic, hours=2))
    consents_from(clinic, active, end=after(clinic, hours=4))

    work(clinic, hours=3)
    assert status(clinic, active) == "active"
    work(clinic, hours=2)
    assert status(clinic, active) == "onhold"


def test_a_consent_that_begins_later_permits_to_go_on_from_then_on(
    clinic, nurse, active
) -> None:
    consents_from(clinic, active, end=after(clinic, hours=1))
    consents_from(clinic, active, start=after(clinic, hours=3))
    work(clinic, hours=2)
    assert status(clinic, active) == "onhold"

    assert patch(nurse, active, to_status("active")).status == 422
    work(clinic, hours=1)
    # Nobody has decided it yet.
    assert status(clinic, active) == "onhold"
    assert patch(nurse, active, to_status("active")).status == 200
    work(clinic, days=1)
    assert status(clinic, active) == "active"


def test_a_consent_that_denies_from_later_on_pauses_then(clinic, active) -> None:
    consents_from(clinic, active, start=after(clinic, hours=2), type="deny")

    work(clinic, hours=1)
    assert status(clinic, active) == "active"
    work(clinic, hours=1, seconds=1)
    assert status(clinic, active) == "onhold"


def test_a_denial_goes_before_the_consent_that_care_began_with(
    clinic, nurse, team
) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    clinic.clock.advance(minutes=1)
    consents_from(clinic, episode, start=after(clinic, hours=2), type="deny")

    work(clinic, hours=1)
    assert status(clinic, episode) == "active"
    work(clinic, hours=1, seconds=1)
    assert status(clinic, episode) == "onhold"
    assert patch(nurse, episode, to_status("active")).status == 422

    clinic.consent(episode)
    assert patch(nurse, episode, to_status("active")).status == 200
    work(clinic, days=1)
    assert status(clinic, episode) == "active"


@pytest.mark.parametrize(
    ("given", "denied", "stopped"),
    [
        ("2026-01-06T10:00:00Z", "2026-01-06T11:00:00Z", True),
        ("2026-01-06T11:00:00Z", "2026-01-06T10:00:00Z", False),
        ("2026-01-06T11:00:00Z", "2026-01-06T11:00:00Z", True),
        ("2026-01-06", "2026-01-06", True),
        ("2026-01-07", "2026-01-06", False),
        # The last hour of the sixth by UTC is the seventh in Denmark.
        ("2026-01-06T23:30:00Z", "2026-01-06", False),
        ("2026-01-06T22:30:00Z", "2026-01-06", True),
    ],
)
def test_what_was_said_last_counts_and_in_doubt_the_denial(
    clinic, team, given, denied, stopped
) -> None:
    episode = clinic.episode(team, status="active")
    data = {"data": [{"meaning": "instance", "reference": to(episode)}]}
    clinic.consent(episode, dateTime=given)
    clinic.consent(episode, dateTime=denied, provision={**data, "type": "deny"})

    work(clinic)

    assert status(clinic, episode) == ("onhold" if stopped else "active")


@pytest.mark.parametrize("end", ["9999-12-31", "9999", "9999-12-31T23:59:59-12:00"])
def test_a_consent_for_ever_is_waited_for_by_nobody(clinic, active, end) -> None:
    consent = consents_from(clinic, active, end=end)

    work(clinic)

    assert clinic.built.timers.of(consent) == []
    assert status(clinic, active) == "active"


def test_a_practitioner_s_consent_by_http_runs_out_too(clinic, active) -> None:
    nurse = clinic.at("careplan", Principal("PRACTITIONER", "nurse"))
    stored = clinic.read(consents_from(clinic, active, end=after(clinic, hours=2)))
    del stored["id"], stored["meta"]
    stored["provision"]["period"]["end"] = after(clinic, hours=3)
    made = nurse.post("Consent", stored)
    assert made.status == 201, made.issues

    work(clinic, hours=2, minutes=30)
    assert status(clinic, active) == "active"
    work(clinic, hours=1)
    assert status(clinic, active) == "onhold"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    """Give an empty store that outlives a server."""
    if request.param == "sqlite":
        return {"store": {"url": f"sqlite:///{tmp_path / 'fyr.db'}"}}
    return {"store": {"url": request.getfixturevalue("postgresql").new_database()}}


def test_care_pauses_though_nothing_ran_at_that_moment_and_once(
    tmp_path, store
) -> None:
    clock = FakeClock()
    settings = settings_with({**options("open"), **store}, tmp_path)
    with application(settings, clock) as built:
        clinic = Clinic(built, clock)
        episode = clinic.episode(clinic.team(), status="active")
        consents_from(clinic, episode, end=after(clinic, hours=1))
        work(clinic)
    clock.advance(hours=2)

    for _ in range(2):
        with application(settings, clock) as built:
            clinic = Clinic(built, clock)
            work(clinic)
            states = [one["status"] for one in clinic.read(episode)["statusHistory"]]
            assert states == ["active", "onhold"]


def test_workers_beside_each_other_pause_care_once(tmp_path, store) -> None:
    clock = FakeClock()
    settings = settings_with({**options("open"), **store}, tmp_path)
    with application(settings, clock) as built:
        clinic = Clinic(built, clock)
        episodes = [clinic.episode(clinic.team(), status="active") for _ in range(5)]
        for one in episodes:
            consents_from(clinic, one, end=after(clinic, hours=1))
        work(clinic)
        clinic.told()
        clock.advance(hours=2)

        def drain() -> None:
            # A worker that loses races again and again leaves the rest to its next look.
            with suppress(Conflict, Unavailable):
                built.worker().drain()

        threads = [Thread(target=drain) for _ in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(120)
        assert not any(one.is_alive() for one in threads)
        # A timer whose races were lost is tried again only after a while.
        work(clinic, hours=1)

        told = clinic.told()
        assert [status(clinic, one) for one in episodes] == ["onhold"] * 5
        assert told.count(TOLD) == 5
