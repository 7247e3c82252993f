"""The key of the development issuer: made once, kept in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from fyr.core.errors import FyrError

FILE = "development-issuer.json"
ALGORITHM = "RS256"


class BrokenKey(FyrError):
    """The file does not hold the key that was put there."""


def signing_key(folder: Path) -> RSAKey:
    """Read the key, or make it; processes that make it at once agree on one.

    :param folder: the data folder.
    :raises BrokenKey: the file cannot be read as a key.
    """
    file = folder / FILE
    if not file.exists():
        _make(file)
    try:
        return RSAKey.import_key(orjson.loads(file.read_bytes()))
    except (OSError, ValueError, KeyError, JoseError):
        raise BrokenKey(f"{file} is no key: remove it, and it is made anew") from None


def _make(file: Path) -> None:
    parameters = {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM}
    made = RSAKey.generate_key(2048, parameters)  # type: ignore[arg-type]
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(orjson.dumps(made.as_dict(private=True)))
        # Whole or not at all, and the first one stays.
        os.link(beside, file)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
