"""``fyr serve`` and ``fyr worker``."""

import sys
from pathlib import Path

import click

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.cli.options import fail, settings_from, with_deployment
from fyr.core.version import __version__


@click.command()
@with_deployment
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port; 0 takes a free one.")
@click.option("--workers", type=int, help="HTTP worker processes.")
@click.option("--demo", is_flag=True, help="Put a few resources into an empty store.")
def serve(
    config_file: Path | None,
    data_dir: Path | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    demo: bool,
) -> None:
    """Serve FHIR over HTTP; runs one event worker beside it."""
    settings = settings_from(
        config_file,
        data_dir=data_dir,
        server__host=host,
        server__port=port,
        server__workers=workers,
        demo=True if demo else None,
    )
    from fyr.core.serving import main

    try:
        sys.exit(main.serve(settings, lambda url, now: click.echo(_where(now, url))))
    except (ConfigError, OSError) as error:
        fail(error)


@click.command()
@with_deployment
def worker(config_file: Path | None, data_dir: Path | None) -> None:
    """Deliver events and run jobs, beside any number of other workers."""
    settings = settings_from(config_file, data_dir=data_dir)
    from fyr.core.serving import main

    try:
        sys.exit(main.work(settings, lambda _: click.echo("Fyr worker runs.")))
    except (ConfigError, OSError) as error:
        fail(error)


def _where(settings: Settings, url: str) -> str:
    """Tell what is served where."""
    from fyr.core.streams import stream_url

    plugins = ", ".join(settings.plugins.enabled)
    if settings.plugins.folder:
        plugins += f", and all in {settings.plugins.folder}"
    lines = [
        f"Fyr {__version__} serves {settings.server.workers} x HTTP at {url}",
        *_fhir(settings, url),
        f"  health       {url}/health/ready",
        f"  metrics      {url}/metrics",
        f"  plugins      {url}/admin/plugins   ({plugins})",
        f"  store        {settings.store.shown_url} in {settings.data_dir.resolve()}",
    ]
    if settings.messages.url:
        where = settings.messages.url.replace("embedded:", "mqtt:")
        topics = settings.messages.topic.replace("{levels}", "#")
        lines.append(f"  messages     {where}   (subscribe to {topics})")
    if settings.streams.port is not None:
        lines.append(f"  streams      {stream_url(settings, '')}   (docs/events.md)")
    if settings.security.mode == "open":
        lines.append(
            "  WARNING      open mode: whoever reaches this address may do everything"
        )
    return "\n".join(lines)


def _fhir(settings: Settings, url: str) -> list[str]:
    """Tell of the service that has everything, if it is served here."""
    own = settings.services.get("fhir")
    if own is not None and not own.enabled:
        return []
    base = f"{url}/{own.path if own is not None and own.path else 'fhir'}"
    return [f"  FHIR         {base}   (try {base}/metadata)"]
