"""Secrets of plugins at rest: sealed by AES-256-GCM under a key that is the plugin's own.

That key is made once and kept in the database, wrapped by the deployment's master key, as
the keys of blobs' owners are: a new master key wraps it anew (:mod:`fyr.core.blobs.keys`),
and what was sealed stays as it is. Each secret has a key derived for what it is about, so
that nothing sealed for one row can be opened in another.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fyr.config.load import ConfigError
from fyr.core.errors import FyrError

if TYPE_CHECKING:
    from fyr.core.blobs.keys import OwnerKeys

_NONCE = 12
_PURPOSE = b"fyr secret of a plugin, AES-256-GCM, 1"


class Sealer:
    """Seals and opens the secrets of one plugin; safe to share between threads."""

    def __init__(self, keys: OwnerKeys, plugin: str) -> None:
        """Take the keys, and whose secrets these are.

        :raises ConfigError: there is no master key.
        """
        if not keys.there:
            raise ConfigError([f"blobs.master_key: {plugin} seals secrets with it"])
        self._keys = keys
        self._owner = f"plugin {plugin}"

    def seal(self, secret: bytes, about: str) -> bytes:
        """Seal a secret: 28 bytes more than it has.

        :param about: what it belongs to, such as the id of its row; needed to open it.
        """
        nonce = token_bytes(_NONCE)
        return nonce + self._cipher(about).encrypt(nonce, secret, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """Open a secret.

        :raises FyrError: it was altered, or sealed for something else.
        """
        nonce, body = sealed[:_NONCE], sealed[_NONCE:]
        try:
            return self._cipher(about).decrypt(nonce, body, about.encode())
        except (InvalidTag, ValueError) as error:
            raise FyrError("a sealed secret is not what was stored") from error

    def _cipher(self, about: str) -> AESGCM:
        key = self._keys.of(self._owner)
        made = HKDF(SHA256(), 32, salt=about.encode(), info=_PURPOSE)
        return AESGCM(made.derive(key))
