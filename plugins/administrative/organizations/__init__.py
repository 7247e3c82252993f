"""Organizations and care teams: what clients may make of them, and where they belong.

``rules`` is what holds for writes, ``above`` finds organizations above or beside another
one, ``logins`` keeps who takes part in what when somebody logs in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.plugins.administrative.organizations.above import (
    general_practitioner,
    traverse_to_sor,
)
from fyr.plugins.administrative.organizations.care_teams import of_care_team
from fyr.plugins.administrative.organizations.logins import persist_login
from fyr.plugins.administrative.organizations.rules import of_organization
from fyr.plugins.administrative.parts import Part

if TYPE_CHECKING:
    from fyr.core import Operation
    from fyr.plugins.administrative.parts import Room

__all__ = ["PART"]


def _operations(room: Room) -> Iterable[Operation]:
    return traverse_to_sor(), general_practitioner(), persist_login()


PART = Part(
    operations=_operations,
    rules={"Organization": of_organization, "CareTeam": of_care_team},
)
