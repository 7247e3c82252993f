"""``fyr load``: files of resources into the store, past no check and no hook."""

import sys
import time
from pathlib import Path

import click

from fyr.core.cli.options import opened, settings_from, with_deployment
from fyr.core.cli.sources import Source, Unreadable, read, total_bytes
from fyr.core.errors import FyrError, Issue
from fyr.core.interactions.importing import Import, Refusal
from fyr.core.model import json, xml
from fyr.core.model.resource import Resource


@click.command()
@with_deployment
@click.option("--as-is", is_flag=True, help="Store batch and transaction Bundles too.")
@click.option("--quiet", is_flag=True, help="Tell only the sum at the end.")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
def load(
    config_file: Path | None,
    data_dir: Path | None,
    as_is: bool,
    quiet: bool,
    paths: tuple[Path, ...],
) -> None:
    """Store the resources of files and folders.

    Reads JSON, NDJSON, XML, FHIR packages (.tgz), and each of them with .gz. A batch or
    transaction Bundle that is a file of its own is carried out, any other Bundle is
    stored. What is refused is told with its reasons, and the rest goes on; the status
    is 1 when anything was refused.
    """
    settings = settings_from(config_file, data_dir=data_dir)
    progress = _Progress(total_bytes(list(paths)), quiet)
    with opened(settings) as application:
        importing = Import(application, progress.refused)
        for source in read(list(paths)):
            if isinstance(source, Unreadable):
                importing.reject(source.place, f"cannot be read: {source}", ())
                continue
            _take(importing, source, as_is)
            progress.moved(source.consumed, importing)
        importing.finish()
    progress.end(importing)
    sys.exit(1 if importing.failed else 0)


def _take(importing: Import, source: Source, as_is: bool) -> None:
    try:
        resource = xml.parse(source.body) if source.is_xml else json.parse(source.body)
    except FyrError as error:
        importing.reject(source.place, "not a resource", error.issues)
        return
    if not (as_is or source.in_package) and _is_request(resource):
        importing.carry_out(source.place, resource)
    else:
        importing.add(source.place, resource)


def _is_request(resource: Resource) -> bool:
    return resource["resourceType"] == "Bundle" and resource.get("type") in (
        "batch",
        "transaction",
    )


class _Progress:
    """A bar on a terminal, refusals as they come, and the sum."""

    def __init__(self, total: int, quiet: bool) -> None:
        self._total = total
        self._quiet = quiet
        self._bar = sys.stderr.isatty() and not quiet
        self._began = time.monotonic()
        self._drawn = 0.0

    def refused(self, refusal: Refusal) -> None:
        if self._quiet:
            return
        self._clear()
        click.echo(f"refused: {refusal.place}: {refusal.what}", err=True)
        for issue in refusal.issues:
            click.echo(f"    {_sentence(issue)}", err=True)

    def moved(self, consumed: int, importing: Import) -> None:
        now = time.monotonic()
        if not self._bar or now - self._drawn < 0.2:
            return
        self._drawn = now
        done = min(consumed / self._total, 1.0) if self._total else 1.0
        bar = "#" * int(done * 30)
        line = f"[{bar:<30}] {done:4.0%}  {self._figures(importing)}"
        click.echo(f"\r{line}\x1b[K", nl=False, err=True)

    def end(self, importing: Import) -> None:
        self._clear()
        click.echo(
            f"{self._figures(importing)}, {time.monotonic() - self._began:.1f} s"
        )

    def _figures(self, importing: Import) -> str:
        rate = importing.stored / max(time.monotonic() - self._began, 0.001)
        refused = f", {importing.failed:,} refused" if importing.failed else ""
        return f"{importing.stored:,} stored{refused}, {rate:,.0f}/s"

    def _clear(self) -> None:
        if self._bar:
            click.echo("\r\x1b[K", nl=False, err=True)


def _sentence(issue: Issue) -> str:
    place = f"{', '.join(issue.expression)}: " if issue.expression else ""
    return f"{place}{issue.diagnostics}"
