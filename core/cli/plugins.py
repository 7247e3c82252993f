"""``fyr plugins``: which take part, in what order they are asked, and whether one is sound."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from fyr.config.load import ConfigError
from fyr.core.cli.options import config_option, fail, settings_from

_PYTEST_OPTIONS = "-q --no-header -p no:cacheprovider --tb=short".split()
_CONTRACT = """
from fyr.core.testing import PluginContract


class TestContract(PluginContract):
    plugin = {name!r}
    settings = {settings!r}
"""


@click.group(invoke_without_command=True)
@config_option
@click.option("--hooks", "show_hooks", is_flag=True, help="Each hook and its order.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.pass_context
def plugins(
    ctx: click.Context, config_file: Path | None, show_hooks: bool, as_json: bool
) -> None:
    """List the plugins that take part and those that are only installed.

    Calls, failures and timing are those of a running server: see /admin/plugins.
    """
    if ctx.invoked_subcommand is not None:
        return
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


@plugins.command()
@click.argument("name")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="KEY=JSON",
    help="A setting of the plugin, where it does not start without.",
)
def check(name: str, given: tuple[str, ...]) -> None:
    """Hold an installed plugin against the contract that every plugin keeps.

    What its settings mean is not checked, nor what it does beyond that: that is what
    its own tests are for.
    """
    from fyr.core.hooks.discovery import installed

    if name not in (known := installed()):
        fail(ConfigError([f"no such plugin: {name} (installed: {', '.join(known)})"]))
    if find_spec("pytest") is None:
        fail(ConfigError(["this takes pytest: pip install 'fyr[test]'"]))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "test_contract.py"
        file.write_text(_CONTRACT.format(name=name, settings=_settings(given)))
        pytest = [sys.executable, "-m", "pytest", f"--rootdir={folder}", str(file)]
        done = subprocess.run([*pytest, *_PYTEST_OPTIONS], check=False)
    sys.exit(done.returncode)


def _settings(given: tuple[str, ...]) -> dict[str, Any]:
    """Read ``KEY=JSON`` pairs.

    :raises click.BadParameter: one is none.
    """
    values = {}
    for one in given:
        key, _, value = one.partition("=")
        try:
            values[key] = json.loads(value)
        except ValueError:
            raise click.BadParameter(
                f"{one}: not KEY=JSON", param_hint="--set"
            ) from None
    return values


def _table(report: list[dict[str, Any]]) -> None:
    click.echo(f"{'name':<20} {'version':<12} {'state':<12} hooks")
    for plugin in report:
        hooks = ", ".join(hook["hook"] for hook in plugin["hooks"]) or "-"
        click.echo(
            f"{plugin['name']:<20} {plugin['version']:<12} {plugin['state']:<12} {hooks}"
        )
        if plugin["summary"]:
            click.echo(f"{'':<20} {plugin['summary']}")
