"""``fyr dev token``: an access token of the development issuer."""

from __future__ import annotations

import re
import uuid
from typing import Any

import click
import orjson

from fyr.core.clock import utc_now
from fyr.core.errors import FyrError
from fyr.plugins.access_control.development import privileges
from fyr.plugins.access_control.development.issuer import (
    PATH,
    REALMS,
    DevelopmentIssuer,
)
from fyr.plugins.access_control.development.key import signing_key
from fyr.plugins.access_control.development.switching import CHOICES

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SWITCHED_OFF = (
    "plugin.access_control.development is not true in this configuration, so no server"
    " would take the token"
)


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    """Read a length of time such as ``8h`` or ``300``."""
    match = re.fullmatch(r"([0-9]{1,7})([smhd]?)", value)
    if match is None or not int(match[1]):
        raise click.BadParameter(f"{value!r} is no time: say 300, 45m, 8h or 7d")
    return int(match[1]) * _UNITS[match[2] or "s"]


def _url(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value and not value.startswith(("https://", "http://")):
        raise click.BadParameter(f"{value!r} is no absolute URL")
    return value or None


@click.group()
def dev() -> None:
    """Help with development."""


@dev.command()
@click.option(
    "--as",
    "kind",
    type=click.Choice([one.lower() for one in REALMS]),
    default="practitioner",
    show_default=True,
    help="Kind of user.",
)
@click.option("--user", default="", help="URL of a Practitioner or Patient, or a UUID.")
@click.option("--name", default="Development User", help="A person's name.")
@click.option("--organization", callback=_url, help="URL of the chosen Organization.")
@click.option("--care-team", callback=_url, help="URL of the chosen CareTeam.")
@click.option("--patient", callback=_url, help="URL of the chosen, or own, Patient.")
@click.option(
    "--episode-of-care", callback=_url, help="URL of the chosen EpisodeOfCare."
)
@click.option("--privileges", "granted", help="A,B or @FILE; unset: the usual ones.")
@click.option("--scope", default="openid", help="Scopes, with spaces between them.")
@click.option("--client", default="fyr-dev", help="Id of the client program.")
@click.option("--expires", callback=_seconds, default="8h", help="Say 300, 45m, 8h.")
@click.option("--json", "as_json", is_flag=True, help="With its refresh token.")
def token(kind: str, expires: int, as_json: bool, **told: Any) -> None:
    """Print an access token that this deployment's server takes on loopback."""
    settings = click.get_current_context().find_root().obj
    if not settings.plugin.get("access_control", {}).get("development"):
        raise click.ClickException(_SWITCHED_OFF)
    try:
        key = signing_key(settings.data_dir)
        session = _session(kind.upper(), told)
    except (OSError, FyrError) as error:
        raise click.ClickException(str(error)) from None
    server = settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    url = f"http://{host}:{server.port}{PATH}/{REALMS[kind.upper()]}"
    answer = DevelopmentIssuer(key, utc_now).answer(url, session, expires)
    click.echo(orjson.dumps(answer).decode() if as_json else answer["access_token"])


def _session(user_type: str, told: dict[str, Any]) -> dict[str, Any]:
    patient = told["patient"]
    if user_type == "PATIENT" and patient is None and "/" in told["user"]:
        patient = told["user"]
    own = patient if user_type == "PATIENT" else None
    user = told["user"] or own or str(uuid.uuid5(uuid.NAMESPACE_URL, told["name"]))
    chosen = (told["organization"], told["care_team"], patient, told["episode_of_care"])
    granted = told["granted"]
    roles = (
        privileges.usual(user_type) if granted is None else privileges.named(granted)
    )
    return {
        "sub": user,
        "azp": told["client"],
        "scope": told["scope"],
        "user_type": user_type,
        "user_id": user,
        "name": told["name"],
        "realm_access": {"roles": roles},
        "context": {
            name: url for name, url in zip(CHOICES, chosen, strict=True) if url
        },
    }
