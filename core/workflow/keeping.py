"""What the server keeps of a resource's states itself: said by the area, as data."""

from dataclasses import dataclass

#: The history that is an element of its own; all others are extensions.
NATIVE = "statusHistory"


@dataclass(frozen=True, slots=True)
class History:
    """Which histories a machine has kept, and where; empty: that one is not.

    An entry holds a state or a team and a Period. A change closes the open entry and
    opens a new one, at the moment of ``meta.lastUpdated``. What a client sends there does
    not count.
    """

    #: ``statusHistory``, an element of ``status`` and ``period``; or the URL of an
    #: extension with parts ``status`` (CodeableConcept) and ``period``
    status: str = ""
    #: code system of the states, for an extension
    system: str = ""
    #: URL of an extension with parts ``careTeam`` (Reference) and ``period``
    team: str = ""
    #: the element that holds references to the teams
    teams: str = "careTeam"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which changes may be planned ahead in a resource; empty: that kind may not.

    An entry whose time has come is removed, and its change made, by Fyr itself.
    """

    #: URL of an extension with parts ``status`` (code) and ``scheduledTime`` (dateTime)
    status: str = ""
    #: URL of an extension with parts ``careteam`` (Reference), ``scheduledTime`` and
    #: ``addCareteam`` (boolean; without it the team is added)
    team: str = ""
    #: the element that holds references to the teams
    teams: str = "careTeam"
