"""Who is a member of a Group at present."""

from datetime import UTC, datetime

import pytest

from fyr.plugins.bulk_data.scope import is_current

NOW = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "member",
    [
        {},
        {"inactive": False},
        {"period": {}},
        {"period": {"start": "2026"}},
        {"period": {"start": "2026-01-08"}},
        {"period": {"end": "2026-01-08"}},
        {"period": {"end": "2026"}},
        {"period": {"start": "2025-12-31", "end": "2026-01"}},
        {"period": {"start": "2026-01-08T09:00:00+01:00"}},
        {"period": {"end": "2026-01-08T08:00:00Z"}},
    ],
)
def test_a_member_is_one_within_its_period(member: dict[str, object]) -> None:
    assert is_current(member, NOW)


@pytest.mark.parametrize(
    "member",
    [
        {"inactive": True},
        {"period": {"start": "2026-01-09"}},
        {"period": {"start": "2026-02"}},
        {"period": {"end": "2025"}},
        {"period": {"end": "2026-01-07"}},
        {"period": {"start": "2026-01-08T08:00:00.001Z"}},
        {"period": {"end": "2026-01-08T08:59:59+01:00"}},
        {"inactive": True, "period": {"start": "2026"}},
    ],
)
def test_a_member_is_none_before_and_after_and_when_it_is_inactive(
    member: dict[str, object],
) -> None:
    assert not is_current(member, NOW)
