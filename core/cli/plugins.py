"""``fyr plugins``: which take part, and in what order their hooks are asked."""

import json
from pathlib import Path
from typing import Any

import click

from fyr.config.load import ConfigError
from fyr.core.cli.options import config_option, fail, settings_from


@click.command()
@config_option
@click.option("--hooks", "show_hooks", is_flag=True, help="Each hook and its order.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def plugins(config_file: Path | None, show_hooks: bool, as_json: bool) -> None:
    """List the plugins that take part and those that are only installed.

    Calls, failures and timing are those of a running server: see /admin/plugins.
    """
    settings = settings_from(config_file)
    from fyr.core.hooks.loading import load_plugins

    try:
        registry = load_plugins(settings)
    except ConfigError as error:
        fail(error, 2)
    report = registry.report()
    if as_json:
        click.echo(json.dumps(report, indent=2))
    elif show_hooks:
        for chain in registry.hooks:
            click.echo(f"{chain.name:<28} {' -> '.join(chain.plugins) or '-'}")
    else:
        _table(report)


def _table(report: list[dict[str, Any]]) -> None:
    click.echo(f"{'name':<20} {'version':<12} {'state':<12} hooks")
    for plugin in report:
        hooks = ", ".join(hook["hook"] for hook in plugin["hooks"]) or "-"
        click.echo(
            f"{plugin['name']:<20} {plugin['version']:<12} {plugin['state']:<12} {hooks}"
        )
        if plugin["summary"]:
            click.echo(f"{'':<20} {plugin['summary']}")
