"""Attempts at keys: counted before the secret is looked at, for all processes together.

Whoever tries takes a number in a transaction of its own, and only then is the secret
checked. So a hundred guesses at the same time are no more than five. A right secret
forgives the attempts up to its own number; those that came later still count. Numbers are
taken for ids without a key, too, by the same statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core import network_of, read_error_codes

if TYPE_CHECKING:
    from fyr.core import Session
    from fyr.plugins.key_service.settings import KeyServiceSettings

CODES = read_error_codes("fyr.plugins.key_service")

_MINUTE = 60_000
_ADDRESS = """
    INSERT INTO key_service_address AS old (address, minute, in_minute)
    VALUES (?, ?, 1)
    ON CONFLICT (address) DO UPDATE SET
        in_minute = CASE WHEN old.minute = excluded.minute
                         THEN old.in_minute + 1 ELSE 1 END,
        minute = excluded.minute
    RETURNING in_minute
"""
# Beyond the lock nothing is counted: whoever was right before it is not undone.
_TAKE = """
    INSERT INTO key_service_attempt AS old
        (id, attempts, good, minute, in_minute, last)
    VALUES (?, 1, 0, ?, 1, ?)
    ON CONFLICT (id) DO UPDATE SET
        attempts = CASE WHEN old.attempts - old.good > ?
                        THEN old.attempts ELSE old.attempts + 1 END,
        in_minute = CASE WHEN old.minute = excluded.minute
                         THEN old.in_minute + 1 ELSE 1 END,
        minute = excluded.minute,
        last = excluded.last
    RETURNING attempts, good, in_minute
"""
_FORGIVE = "UPDATE key_service_attempt SET good = ? WHERE id = ? AND good < ?"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an id."""

    id: str
    #: of all attempts at this id, beginning with 1
    number: int
    #: whether it came too late
    locked: bool


def take(
    session: Session, settings: KeyServiceSettings, key_id: str, remote: str, now: int
) -> Attempt:
    """Take a number for an attempt.

    :param remote: address of who tries.
    :raises fyr.core.TooManyRequests: there were too many in this minute; none is taken.
    """
    minute = now // _MINUTE
    wait = -(-(_MINUTE - now % _MINUTE) // 1000)
    (of_address,) = session.rows(_ADDRESS, (network_of(remote), minute))
    most = settings.max_attempts
    (of_key,) = session.rows(_TAKE, (key_id, minute, now, most))
    if of_address[0] > settings.address_attempts or of_key[2] > settings.key_attempts:
        raise CODES["KEY_SERVICE_TOO_MANY_ATTEMPTS"].error(
            wait, headers={"Retry-After": str(wait)}
        )
    number, good = of_key[:2]
    return Attempt(key_id, number, number - good > most)


def forgive(session: Session, attempt: Attempt) -> None:
    """Forget the attempts up to one that was right."""
    session.run(_FORGIVE, (attempt.number, attempt.id, attempt.number))
