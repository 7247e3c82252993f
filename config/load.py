"""Where settings come from: one TOML file, the environment over it, options over both.

Every mistake is named with its place and what is allowed there, all of them at once.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from fyr.config.neighbours import neighbour
from fyr.config.settings import Settings

#: Variables that are not settings: the file itself, and what only tests read.
_RESERVED = ("FYR_CONFIG", "FYR_TEST_")


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` has one sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        """Take the sentences."""
        self.problems = problems
        super().__init__("\n".join(problems))


class _Sources(Settings, BaseSettings):
    """Settings read from what is passed in, then ``FYR_`` variables."""

    model_config = SettingsConfigDict(
        env_prefix="FYR_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)


def load(
    file: Path | None = None, options: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings of a deployment.

    :param file: TOML file; ``None`` takes the one that ``FYR_CONFIG`` names, if any.
    :param options: dotted names and values that stand above file and environment.
    :raises ConfigError: something is unknown, of the wrong type, or cannot be read.
    """
    if file is None and os.environ.get("FYR_CONFIG"):
        file = Path(os.environ["FYR_CONFIG"])
    values = _read(file) if file else {}
    strangers = _unknown_variables()
    try:
        from_files = _Sources(**values)
        settings = _with_options(from_files, options or {})
    except ValidationError as error:
        raise ConfigError(strangers + sentences(error)) from None
    except SettingsError:
        raise ConfigError(strangers + _not_json()) from None
    if strangers:
        raise ConfigError(strangers)
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: is not TOML: {error}"]) from None


def _with_options(settings: Settings, options: Mapping[str, Any]) -> Settings:
    values = settings.model_dump(exclude_unset=True)
    for dotted, value in options.items():
        *tables, key = dotted.split(".")
        table = values
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
    return Settings(**values)


def _unknown_variables() -> list[str]:
    problems = []
    for name in sorted(os.environ):
        if not name.startswith("FYR_") or name.startswith(_RESERVED):
            continue
        key = name.removeprefix("FYR_").split("__")[0].lower()
        if key not in Settings.model_fields:
            problems.append(f"{name}: no such setting{_neighbour(key, Settings)}")
    return problems


def _not_json() -> list[str]:
    """Name the variables that hold a list or a table, and not as JSON."""
    problems = []
    for name, value in sorted(os.environ.items()):
        if not name.startswith("FYR_") or name.startswith(_RESERVED):
            continue
        source = EnvSettingsSource(_Sources)
        source.env_vars = {name.lower(): value}
        try:
            source()
        except SettingsError:
            problems.append(f'{name}: is to be JSON, such as ["one", "two"]')
    return problems


def sentences(
    error: ValidationError,
    model: type[BaseModel] = Settings,
    under: Sequence[str] = (),
) -> list[str]:
    """Tell the faults of settings, each with its place and, if any, a neighbour.

    :param model: what the values were for.
    :param under: the tables that they stand in.
    """
    told = []
    for fault in error.errors():
        inside = [str(part) for part in fault["loc"]]
        place = ".".join([*under, *inside])
        if fault["type"] == "extra_forbidden":
            hint = _neighbour(inside[-1], _model_at(model, inside[:-1]))
            told.append(f"{place}: no such setting{hint}")
        else:
            told.append(f"{place}: {fault['msg']}")
    return told


def _model_at(root: type[BaseModel], place: list[str]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    for name in place:
        field = model.model_fields.get(name) if model else None
        kind = field.annotation if field else None
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return model


def _neighbour(key: str, model: type[BaseModel] | None) -> str:
    return neighbour(key, model.model_fields if model else ())
