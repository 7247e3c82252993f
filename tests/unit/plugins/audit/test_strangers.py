"""Requests of nobody who is known: counted, told once a minute, bounded."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core import RequestContext, Unavailable
from fyr.core.interactions.services import everything
from fyr.plugins.audit import strangers
from fyr.plugins.audit.strangers import MOST, OTHERS, Strangers

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: Longer than any test takes.
NEVER = 3600.0


def asks(remote: str, seconds: int = 0, token: str | None = None) -> RequestContext:
    return RequestContext(
        everything(),
        "read",
        "Patient",
        "1",
        authorization=token,
        now=NOON + timedelta(seconds=seconds),
        remote=remote,
    )


class Kept:
    """Keeps facts, unless it cannot."""

    def __init__(self) -> None:
        self.rows: list[dict] = []
        self.away = False
        self.told = threading.Event()

    def __call__(self, rows) -> None:
        if self.away:
            raise Unavailable("the database is away")
        self.rows += rows
        self.told.set()

    @property
    def counts(self) -> dict[str, int]:
        return {one["from"]: one["attempts"] for one in self.rows}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def counting(kept: Kept):
    made = Strangers(kept, seconds=NEVER)
    yield made
    made.close()


def test_a_thread_has_them_kept_without_anybody_asking(kept: Kept) -> None:
    counting = Strangers(kept, seconds=0.001)
    counting.add(asks("192.0.2.1"))

    assert kept.told.wait(60)
    counting.close()

    assert kept.counts == {"192.0.2.1": 1}


def test_an_address_has_one_row_from_its_first_attempt_to_its_last(
    counting, kept
) -> None:
    for second in (0, 7, 30):
        counting.add(asks("192.0.2.1", second, "Bearer x" if second else None))
    counting.add(asks("192.0.2.2", 31))

    counting.close()

    one, other = kept.rows
    assert (one["attempts"], one["tokens"]) == (3, 2)
    assert one["at"] == "2026-01-01T12:00:00.000+00:00"
    assert one["until"] == "2026-01-01T12:00:30.000+00:00"
    assert (other["attempts"], other["tokens"]) == (1, 0)
    assert not any("Patient" in str(value) for value in one.values())


def flood(counting: Strangers) -> None:
    for number in range(3 * MOST):
        counting.add(asks(f"10.0.{number // 256}.{number % 256}"))


def test_however_many_addresses_there_are_the_rows_are_bounded(counting, kept) -> None:
    flood(counting)

    counting.flush()

    assert len(kept.rows) == MOST + 1
    assert kept.counts[OTHERS] == 2 * MOST
    assert sum(kept.counts.values()) == 3 * MOST


def test_without_the_bound_they_are_not(counting, kept, monkeypatch) -> None:
    monkeypatch.setattr(strangers, "MOST", 10**9)
    flood(counting)

    counting.flush()

    assert len(kept.rows) == 3 * MOST


def test_a_client_of_ipv6_does_not_make_itself_many(counting, kept) -> None:
    for number in range(50):
        counting.add(asks(f"2001:db8:1:2::{number:x}"))
    counting.add(asks("2001:db8:1:3::1"))

    counting.flush()

    assert kept.counts == {"2001:db8:1:2::/64": 50, "2001:db8:1:3::/64": 1}


def test_who_has_no_address_and_who_has_one_of_ipv4_within_ipv6(counting, kept) -> None:
    counting.add(asks(""))
    counting.add(asks("::ffff:192.0.2.1"))
    counting.add(asks("::ffff:192.0.2.2"))

    counting.flush()

    assert kept.counts == {"unknown": 1, "192.0.2.1": 1, "192.0.2.2": 1}


def test_what_cannot_be_kept_is_counted_on(counting, kept) -> None:
    kept.away = True
    counting.add(asks("192.0.2.1", 0))
    counting.flush()
    counting.add(asks("192.0.2.1", 90))
    counting.flush()
    counting.add(asks("192.0.2.2", 95))
    kept.away = False

    counting.flush()

    assert kept.counts == {"192.0.2.1": 2, "192.0.2.2": 1}
    assert kept.rows[0]["at"] == "2026-01-01T12:00:00.000+00:00"
    assert kept.rows[0]["until"] == "2026-01-01T12:01:30.000+00:00"


@given(st.lists(st.lists(st.integers(0, 2 * MOST), max_size=3 * MOST), max_size=4))
def test_a_database_that_is_away_loses_none_and_stays_bounded(minutes) -> None:
    kept = Kept()
    kept.away = True
    counting = Strangers(kept, seconds=NEVER)
    for minute in minutes:
        for number in minute:
            counting.add(asks(f"10.0.{number // 256}.{number % 256}"))
        counting.flush()
    kept.away = False

    counting.close()

    assert sum(kept.counts.values()) == sum(len(minute) for minute in minutes)
    assert len(kept.rows) <= MOST + 1
