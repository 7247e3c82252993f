"""``fyr demo``: tells the story, a line a step."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from fyr.config.load import ConfigError
from fyr.core import FyrError
from fyr.plugins.demo.stage import Clock, StoryError, playing
from fyr.plugins.demo.steps import STEPS, tell
from fyr.plugins.demo.story import Story


@click.command()
def demo() -> None:
    """Tell the story of a citizen with COPD, on a store that is thrown away.

    Takes a configuration with all plugins of the story and the development issuer:
    config/examples/demo.toml.
    """
    settings = click.get_current_context().find_root().obj
    with TemporaryDirectory(prefix="fyr-demo-") as folder:
        thrown_away = settings.model_copy(update={"data_dir": Path(folder)})
        try:
            with playing(thrown_away, Clock()) as stage:
                click.echo(f"A server at {stage.url}, on a store that is thrown away.")
                for number, (step, told) in enumerate(tell(Story(stage)), 1):
                    click.echo(f"[{number:>2}/{len(STEPS)}] {step.what}: {told}.")
        except (StoryError, ConfigError, FyrError, OSError) as error:
            raise click.ClickException(str(error)) from None
    click.echo("The end. Every step was a request with a token of whoever made it.")
