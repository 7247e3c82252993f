"""What holds for care teams that clients write.

A token names a care team by its identifier, so each has one, a UUID. Teams take part in
teams, and none in itself, by whatever way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from fyr.core import Issue, broken_rule
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.extensions import USE_CONTEXT, extensions
from fyr.plugins.administrative.organizations.rules import is_held

if TYPE_CHECKING:
    from fyr.core import Acting, Resource
    from fyr.plugins.administrative.parts import Write


#: https://www.rfc-editor.org/rfc/rfc3986: the value is a URI.
URI = "urn:ietf:rfc:3986"
_UUID = re.compile(
    r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
#: A use that is of definitions, and of no team.
_FOCUS = "focus"


def of_care_team(write: Write) -> Iterator[Issue]:
    """Tell what stands in the way of a care team."""
    if not is_held(write):
        return
    team = write.new
    named = [one for one in team.get("identifier", ()) if one.get("system") == URI]
    if not any(_UUID.fullmatch(str(one.get("value", ""))) for one in named):
        code = CODES[
            "CARETEAM_GENERAL_EXTERNAL_SECURITY_TOKEN_CARETEAM_IDENTIFIER_SYSTEM_IS_MISSING"
        ]
        yield code.issue(expression=("CareTeam.identifier",))
    if not team.get("reasonCode"):
        text = "a care team says why it is there"
        yield broken_rule(text, "CareTeam.reasonCode")
    for one in extensions(team, USE_CONTEXT):
        if one.get("valueUsageContext", {}).get("code", {}).get("code") == _FOCUS:
            text = f"the use {_FOCUS} is of definitions, and not of care teams"
            yield broken_rule(text, "CareTeam.extension")
    leads_back = partial(_leads_back, team=team)
    if write.room.application.act_within(write.session, leads_back):
        text = "a care team does not take part in itself, also by way of others"
        yield broken_rule(text, "CareTeam.participant")


def members(team: Resource) -> Iterator[str]:
    """Tell the care teams that take part in one: ``CareTeam/1``."""
    for one in team.get("participant", ()):
        reference = str(one.get("member", {}).get("reference", ""))
        if reference.startswith("CareTeam/"):
            yield reference.partition("/_history/")[0]


def _leads_back(acting: Acting, team: Resource) -> bool:
    """Whether one comes back to a team by way of those who take part in it."""
    own = f"CareTeam/{team['id']}"
    seen: set[str] = set()
    waiting = list(members(team))
    while waiting:
        reference = waiting.pop()
        if reference == own:
            return True
        if reference not in seen:
            seen.add(reference)
            waiting += _members_of(acting, reference)
    return False


def _members_of(acting: Acting, reference: str) -> Iterable[str]:
    team = acting.read(reference)
    return members(team) if team is not None else ()
