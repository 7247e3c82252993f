"""Options that several sub-commands share, and the settings they lead to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from fyr.config.load import ConfigError, load
from fyr.config.settings import Settings
from fyr.core.errors import FyrError
from fyr.core.observability.logging import configure_logging
from fyr.core.observability.masking import masked, remember_secrets

if TYPE_CHECKING:
    from fyr.core.app import Application

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="TOML file with the settings.",
)
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Folder for all that is kept."
)


#: Characters of somebody else's words that a list shows.
_SHOWN = 300


def in_a_line(text: str) -> str:
    """Write somebody else's words so that they move nothing on a terminal, and end."""
    words = "".join(one if one.isprintable() else " " for one in text).split()
    line = " ".join(words)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} ..."


def with_deployment(command: F) -> F:
    """Give a command ``--config`` and ``--data-dir``."""
    return config_option(data_dir_option(command))


def settings_from(config_file: Path | None, **options: Any) -> Settings:
    """Read the settings with those options over them that were given.

    Without a file of its own a sub-command takes the one of ``fyr --config FILE``.
    Names are dotted with two underscores (``server__port``). Ends the process with
    status 2, and one line for each mistake, when something is wrong.
    """
    given = {
        name.replace("__", "."): value
        for name, value in options.items()
        if value is not None
    }
    here = click.get_current_context(silent=True)
    if config_file is None and here is not None:
        root = here.find_root()
        if isinstance(root.obj, Settings) and not given:
            # A plugin's command, whose deployment was told before it was found.
            return _begun(root.obj)
        config_file = root.params.get("config_file")
    try:
        settings = load(config_file, given)
    except ConfigError as error:
        fail(error, 2)
    return _begun(settings)


def _begun(settings: Settings) -> Settings:
    remember_secrets(settings)
    configure_logging(settings.log)
    return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Application]:
    """Build the application, and close it at the end.

    Ends the process with status 1, and a line for each reason, when it cannot be built
    or what is done with it fails.
    """
    from fyr.core.app import build

    try:
        application = build(settings)
        try:
            yield application
        finally:
            application.close()
    except BrokenPipeError:
        # Who reads has read enough, as `head` does; click ends the process without a word.
        raise
    except (ConfigError, FyrError, OSError) as error:
        fail(error)


def fail(error: Exception, status: int = 1) -> NoReturn:
    """End the process, saying why in the user's words."""
    problems = (
        [issue.diagnostics for issue in error.issues]
        if isinstance(error, FyrError)
        else str(error).splitlines()
    )
    for problem in problems:
        click.echo(f"fyr: {masked(problem)}", err=True)
    sys.exit(status)
