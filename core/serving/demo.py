"""The demo data: a municipality, a care team and a citizen with a measurement."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core.interactions.importing import Import, Refusal
from fyr.core.model import json

if TYPE_CHECKING:
    from fyr.core.app import Application


def load_demo(application: Application) -> None:
    """Put the demo resources into a store that has no resource yet.

    :raises RuntimeError: the store does not take them; they are Fyr's own, so this is
        a fault of the server or of a plugin.
    """
    if application.resources.count():
        return
    importing = Import(application, _fail)
    importing.carry_out(
        "demo", json.parse(files("fyr.config").joinpath("demo.json").read_bytes())
    )


def _fail(refusal: Refusal) -> None:
    reasons = "; ".join(issue.diagnostics for issue in refusal.issues)
    raise RuntimeError(f"demo data were refused: {refusal.what}: {reasons}")
