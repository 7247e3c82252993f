"""The keys of blobs' owners, kept in the database, wrapped by the deployment's master.

An owner's key never changes; when the master key does, owners' keys are wrapped anew
and no blob is touched. The master key is in the settings, or, where blobs lie on this
machine's disk and none is set, in a file of the data folder that is made once.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fyr.config.load import ConfigError
from fyr.core.clock import Clock, to_millis
from fyr.core.errors import FyrError
from fyr.core.store.port import Database, Row, Session

if TYPE_CHECKING:
    from pydantic import SecretStr

    from fyr.config.settings import Settings

#: The file in the data folder.
MADE = "blobs.key"
_STEP = 200

_ADD = """
    INSERT INTO blob_owner_key (owner, master, wrapped, created) VALUES (?, ?, ?, ?)
    ON CONFLICT (owner) DO NOTHING
"""
_GET = "SELECT master, wrapped FROM blob_owner_key WHERE owner = ?"
_MASTERS = "SELECT DISTINCT master FROM blob_owner_key"
_OTHERS = """
    SELECT owner, master, wrapped FROM blob_owner_key
    WHERE master <> ? ORDER BY owner LIMIT ?
"""
_CHANGE = """
    UPDATE blob_owner_key SET master = ?, wrapped = ? WHERE owner = ? AND master = ?
"""


class OwnerKeys:
    """A key for each owner of blobs; safe to share between threads and processes."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        """Take where keys are kept, and the settings with the master keys.

        :raises ConfigError: a master key is not 32 bytes in base64.
        :raises FyrError: keys are stored that none of them opens.
        """
        self._database = database
        self._settings = settings
        self._clock = clock
        self._committed = lru_cache(maxsize=1024)(self._found)
        configured_keys(settings)
        used = {row[0] for row in database.rows(_MASTERS)}
        if used - (self._masters.keys() if used else set()):
            raise FyrError(
                "blobs are sealed under another master key than blobs.master_key: set"
                " that one as blobs.former_master_key"
            )

    @property
    def there(self) -> bool:
        """Whether anything can be sealed: there is a master key, or one can be made."""
        blobs = self._settings.blobs
        return blobs.master_key is not None or blobs.url.startswith("file:")

    @cached_property
    def _masters(self) -> dict[str, bytes]:
        """The master keys by their ids, the one that is in use first."""
        keys = configured_keys(self._settings)
        if self._settings.blobs.master_key is None:
            keys.insert(0, _kept(self._settings.data_dir / MADE))
        return {sha256(b"fyr master key " + key).hexdigest()[:16]: key for key in keys}

    @property
    def _current(self) -> str:
        return next(iter(self._masters))

    def of(self, owner: str, database: Database | None = None) -> bytes:
        """Give an owner's key, 32 bytes; a new owner gets one.

        :param database: that of a transaction which this is part of.
        :raises FyrError: there is no master key, or it does not open what is stored.
        """
        if not self.there:
            raise FyrError("nothing can be sealed without blobs.master_key")
        try:
            return self._committed(owner)
        except LookupError:
            # Nothing is remembered that may be rolled back.
            return self._made(owner, database or self._database)

    def rewrap(self) -> int:
        """Wrap all keys by the present master key; tell how many were not.

        Safe while others read and write, and to begin again after an end in the middle.
        """
        count = 0
        if not self._database.rows(_MASTERS):
            return count
        while rows := self._database.rows(_OTHERS, (self._current, _STEP)):
            changes = [self._changed(*row) for row in rows]
            self._database.write(partial(_change, changes))
            count += len(rows)
        return count

    def _changed(self, owner: str, master: str, wrapped: str) -> Row:
        key = self._unwrapped(owner, master, wrapped)
        return (self._current, self._wrapped(owner, key), owner, master)

    def _found(self, owner: str) -> bytes:
        """Tell the key of an owner who has one that is committed.

        :raises LookupError: they have none.
        """
        rows = self._database.rows(_GET, (owner,))
        if not rows:
            raise LookupError(owner)
        return self._unwrapped(owner, *rows[0])

    def _made(self, owner: str, database: Database) -> bytes:
        now = to_millis(self._clock())
        row = (owner, self._current, self._wrapped(owner, token_bytes(32)), now)
        database.write(lambda session: session.run(_ADD, row))
        # Somebody else may have been faster.
        return self._unwrapped(owner, *database.rows(_GET, (owner,))[0])

    def _wrapped(self, owner: str, key: bytes) -> str:
        nonce = token_bytes(12)
        cipher = AESGCM(self._masters[self._current])
        return b64encode(nonce + cipher.encrypt(nonce, key, owner.encode())).decode()

    def _unwrapped(self, owner: str, master: str, wrapped: str) -> bytes:
        if master not in self._masters:
            raise FyrError("a key is wrapped by a master key that is not configured")
        raw = b64decode(wrapped)
        try:
            cipher = AESGCM(self._masters[master])
            return cipher.decrypt(raw[:12], raw[12:], owner.encode())
        except InvalidTag as error:
            raise FyrError("the key of an owner of blobs was tampered with") from error


def configured_keys(settings: Settings) -> list[bytes]:
    """Tell the master keys that the settings have, the one in use first.

    :raises ConfigError: one is not 32 bytes in base64.
    """
    blobs = settings.blobs
    secrets = (
        ("master_key", blobs.master_key),
        ("former_master_key", blobs.former_master_key),
    )
    return [_key(name, secret) for name, secret in secrets if secret is not None]


def _change(changes: list[Row], session: Session) -> None:
    session.run_many(_CHANGE, changes)


def _key(name: str, secret: SecretStr) -> bytes:
    with suppress(ValueError):
        key = b64decode(secret.get_secret_value(), validate=True)
        if len(key) == 32:
            return key
    text = f"blobs.{name}: is to be 32 bytes in base64 (openssl rand -base64 32)"
    raise ConfigError([text])


def _kept(path: Path) -> bytes:
    """Read the key of this data folder, made by whoever comes first."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{token_bytes(8).hex()}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(b64encode(token_bytes(32)))
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never takes the place of another's key.
            with suppress(FileExistsError):
                os.link(fresh, path)
            fresh.unlink()
        key = b64decode(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            [f"{path}: the key of blobs cannot be used: {error}"]
        ) from None
    if len(key) != 32:
        raise ConfigError([f"{path}: is not the key of blobs that was made there"])
    return key
