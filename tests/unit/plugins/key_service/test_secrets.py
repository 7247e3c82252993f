"""Secrets at rest."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from fyr.core import FyrError, Unavailable
from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, settings_with
from fyr.plugins.key_service import secrets as module
from fyr.plugins.key_service.secrets import Secrets
from fyr.plugins.key_service.settings import KeyServiceSettings

QUICK = KeyServiceSettings(hash_memory_kib=32, hash_passes=1, parallel_hashes=1)


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Application]:
    with application(settings_with({}, tmp_path), utc_now) as made:
        yield made


@pytest.fixture
def secrets(built: Application) -> Secrets:
    return Secrets(built.sealer("key_service"), QUICK)


def test_a_secret_holds_for_what_it_is_about_and_no_other_does(
    secrets: Secrets,
) -> None:
    kept = secrets.hashed("1234", "a")

    assert secrets.holds(kept, "1234", "a")
    assert not secrets.holds(kept, "1235", "a")
    with pytest.raises(FyrError):
        secrets.holds(kept, "1234", "b")


def test_where_none_is_kept_none_holds(secrets: Secrets) -> None:
    assert not secrets.holds(None, "1234", "a")


def test_what_is_kept_tells_neither_the_secret_nor_that_two_are_the_same(
    secrets: Secrets,
) -> None:
    one, other = secrets.hashed("sesame", "a"), secrets.hashed("sesame", "a")

    assert one != other
    assert "argon2" not in one


def test_the_hash_is_argon2id_by_the_settings(built: Application) -> None:
    sealer = built.sealer("key_service")
    kept = Secrets(sealer, KeyServiceSettings()).hashed("1234", "a")

    from base64 import b64decode

    hash_ = sealer.open(b64decode(kept), "a").decode()
    assert hash_.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_hash_by_other_settings_is_dated(
    built: Application, secrets: Secrets
) -> None:
    sealer = built.sealer("key_service")
    harder = Secrets(sealer, QUICK.model_copy(update={"hash_passes": 2}))
    kept = secrets.hashed("1234", "a")

    assert (secrets.is_dated(kept, "a"), harder.is_dated(kept, "a")) == (False, True)
    assert harder.holds(kept, "1234", "a")


def test_a_key_has_128_bits_and_comes_back(secrets: Secrets) -> None:
    from base64 import b64decode

    key, sealed = secrets.new_key("a")

    assert len(b64decode(key)) == 16
    assert key not in sealed
    assert secrets.key(sealed, "a") == key


def test_what_cannot_be_opened_is_a_problem_that_is_told(secrets: Secrets) -> None:
    _, sealed = secrets.new_key("a")
    assert secrets.problem == ""

    with pytest.raises(FyrError):
        secrets.key(sealed, "b")
    assert secrets.problem == "keys are kept that cannot be opened"


def test_who_waits_too_long_for_a_turn_is_told_to_come_back(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.01)
    taken, done = Event(), Event()

    def hold() -> None:
        with secrets.turn():
            taken.set()
            done.wait()

    holder = Thread(target=hold)
    holder.start()
    taken.wait()
    try:
        with pytest.raises(Unavailable), secrets.turn():
            pytest.fail("two at once")
    finally:
        done.set()
        holder.join()
    with secrets.turn():
        pass
