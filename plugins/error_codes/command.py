"""``fyr error-codes``: what the plugins of a deployment refuse, by published name."""

from __future__ import annotations

import json

import click

from fyr.config.settings import Settings
from fyr.core.app import registered_error_codes
from fyr.core.hooks.loading import load_plugins
from fyr.plugins.error_codes.serving import row


@click.command("error-codes")
@click.option("--area", help="Only those of this area.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def error_codes(settings: Settings, area: str | None, as_json: bool) -> None:
    """List the error codes of the plugins that take part, and the general ones."""
    found = registered_error_codes(load_plugins(settings).hooks)
    codes = [one for one in found.values() if area in (None, one.area)]
    if as_json:
        click.echo(json.dumps([row(code) for code in codes], indent=2))
        return
    for code in codes:
        click.echo(f"{code.status}  {code.name}  ({code.area})\n     {code.text}")
