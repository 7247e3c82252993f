"""Whether anybody here runs the rules of a Library, told when it is stored or validated.

Engines are asked: without measurements there is nothing to judge, and ``None`` still says
that the source is of no engine here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from fyr.core import Issue, Resource, RuleInput, RuleLimits
from fyr.plugins.clinical.tasks.libraries import is_for_processing

if TYPE_CHECKING:
    from fyr.core import Application

log = structlog.get_logger(__name__)

_TEXT = (
    "no engine of this server runs rules of its type ({types}): they are kept as they came,"
    " and a measurement for them becomes an urgent Task instead"
)
#: Time and size of the answer to whether a source can be run at all.
_LIMITS = RuleLimits(seconds=0.5)


def is_run(application: Application, library: Resource) -> bool:
    """Whether an engine runs a library. One that breaks when it is asked counts as one."""
    asked = RuleInput((), application.clock())
    try:
        outcome = application.hooks.evaluate_rules(
            library=library, asked=asked, limits=_LIMITS
        )
    except Exception as error:
        log.warning("a rule engine cannot be asked what it runs", exc_info=error)
        return True
    return outcome is not None


def warnings_of(application: Application, resource: Resource) -> list[Issue]:
    """Tell of a Library for automated processing that nobody runs it."""
    if resource.get("resourceType") != "Library" or not resource.get("content"):
        return []
    if not is_for_processing(resource) or is_run(application, resource):
        return []
    named = [str(one.get("contentType", "none")) for one in resource["content"]]
    text = _TEXT.format(types=", ".join(dict.fromkeys(named))[:200])
    return [Issue("not-supported", text, ("Library.content",), severity="warning")]
