"""The tokens that a process remembers."""

from datetime import UTC, datetime, timedelta

from fyr.core.context import SYSTEM
from fyr.core.security.cache import Known, TokenCache
from fyr.core.security.keys import KeyRing

NOW = datetime(2026, 1, 8, tzinfo=UTC)


def known(token, keys=None):
    keys = keys or KeyRing()
    later = NOW + timedelta(minutes=5)
    return Known(token, SYSTEM, NOW, later, keys, keys.generation)


def token(number):
    return f"header.payload.{number:043d}"


def test_it_keeps_no_more_than_its_size() -> None:
    cache = TokenCache(10)
    for number in range(100):
        cache.put(known(token(number)))

    assert len(cache) <= 10
    assert cache.get(token(99), NOW)
    assert cache.get(token(0), NOW) is None


def test_what_is_asked_for_again_and_again_stays() -> None:
    cache = TokenCache(10)
    cache.put(known(token(0)))
    for number in range(1, 100):
        cache.put(known(token(number)))

        assert cache.get(token(0), NOW)


def test_none_is_kept_when_none_may_be() -> None:
    cache = TokenCache(0)
    cache.put(known(token(1)))

    assert cache.get(token(1), NOW) is None


def test_a_token_with_the_same_signature_is_another() -> None:
    cache = TokenCache(10)
    cache.put(known(token(1)))

    assert cache.get(token(1).replace("payload", "payl0ad"), NOW) is None
    assert cache.get(token(1), NOW)


def test_a_token_is_forgotten_when_it_ends_or_its_key_is_withdrawn() -> None:
    cache = TokenCache(10)
    keys = KeyRing()
    cache.put(known(token(1)))
    cache.put(known(token(2), keys))
    keys.generation += 1

    assert cache.get(token(1), NOW + timedelta(minutes=5)) is None
    assert cache.get(token(2), NOW) is None
    assert len(cache) == 0
