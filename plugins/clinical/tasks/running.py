"""Whether anybody here runs the rules of a Library, told when it is stored or validated.

Engines are asked: without measurements there is nothing to judge, and ``None`` still says
that the source is of no engine here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from fyr.core import Issue, Resource, RuleInput, RuleLimits
from fyr.plugins.clinical.tasks.libraries import is_for_processing, requirements_of

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
    """Tell of a Library for automated processing what of it will not be done.

    That nobody runs it, and that earlier data is asked for in a way that gives none.
    """
    if resource.get("resourceType") != "Library" or not is_for_processing(resource):
        return []
    _, wrong = requirements_of(resource, application.clock())
    issues = [replace(one, severity="warning") for one in wrong]
    if resource.get("content") and not is_run(application, resource):
        named = [str(one.get("contentType", "none")) for one in resource["content"]]
        text = _TEXT.format(types=", ".join(dict.fromkeys(named))[:200])
        where = ("Library.content",)
        issues.append(Issue("not-supported", text, where, severity="warning"))
    return issues
