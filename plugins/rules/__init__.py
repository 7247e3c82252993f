"""Fyr's own rule engine: declarative rules over FHIRPath, within limits.

It runs libraries whose content is ``application/fyr-rules+json``: ``docs/rules.md``.
Others (Drools, CQL) it leaves to other plugins; such a library is stored all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import (
    Issue,
    Manifest,
    RequestContext,
    Resource,
    RuleInput,
    RuleLimits,
    RuleOutcome,
    hookimpl,
)
from fyr.plugins.rules.engine import run
from fyr.plugins.rules.gaps import gaps
from fyr.plugins.rules.source import FaultySource, read, sources_of

manifest = Manifest("Runs rules that are declared as JSON over FHIRPath.")


@hookimpl
def evaluate_rules(
    library: Resource, asked: RuleInput, limits: RuleLimits
) -> RuleOutcome | None:
    """Run a library of this engine's own language."""
    if not sources_of(library):
        return None
    return run(library, asked, limits)


@hookimpl
def validate(context: RequestContext, resource: Resource) -> Iterable[Issue]:
    """Refuse rules of this language that could not be run, when they are stored.

    And warn of alarm ranges with a gap that is only in how they are written.
    """
    if resource.get("resourceType") in ("ActivityDefinition", "ServiceRequest"):
        yield from gaps(resource)
    if resource.get("resourceType") != "Library":
        return
    for place, _ in sources_of(resource):
        try:
            read(resource, RuleLimits())
        except FaultySource as faulty:
            yield Issue("invalid", str(faulty), (f"Library.content[{place}].data",))
