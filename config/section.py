"""A table of the settings, and secrets that stand in files."""

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

#: An address of HTTP, or nothing.
URL = r"^(https?://\S+)?$"


class Section(BaseModel):
    """A table of the TOML file; an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        """Fill a secret ``<name>`` from the file that ``<name>_file`` names.

        A plugin has that key for each of its ``SecretStr``, declared or not.
        """
        if not isinstance(values, dict):
            return values
        filled = dict(values)
        for name, field in cls.model_fields.items():
            key = f"{name}_file"
            if SecretStr not in (field.annotation, *get_args(field.annotation)):
                continue
            file = values.get(key)
            if key not in cls.model_fields:
                filled.pop(key, None)
            if file and not values.get(name):
                filled[name] = _secret_in(Path(file), key)
        return filled


def _secret_in(file: Path, key: str) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not UTF-8"
        raise ValueError(f"{key}: cannot be read: {reason}") from None
    if not secret:
        raise ValueError(f"{key}: the file is empty")
    return secret
