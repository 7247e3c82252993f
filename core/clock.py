"""The time, as something that can be passed in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

#: Gives the present time with its time zone; tests pass one of their own.
Clock = Callable[[], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    """Tell the time of this machine, in UTC."""
    return datetime.now(UTC)


def to_millis(moment: datetime) -> int:
    """Tell a moment as milliseconds since 1970, UTC: how the store keeps times."""
    # In whole numbers: a float of seconds is a millisecond short now and then.
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """Tell stored milliseconds as a moment in UTC."""
    return datetime.fromtimestamp(millis / 1000, UTC)


@lru_cache(maxsize=256)
def instant(millis: int) -> str:
    """Write stored milliseconds as a FHIR instant: ``2026-01-31T08:00:00.000Z``."""
    moment = datetime.fromtimestamp(millis // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}Z"
