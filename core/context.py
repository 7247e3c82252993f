"""Who asks for what, as everything below HTTP sees it, and what that has touched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal

from fyr.core.declarations.routes import Route
from fyr.core.declarations.services import Service

#: What was done with a version.
How = Literal["read", "create", "update", "delete"]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Principal:
    """The user or system behind a request.

    ``user_type`` is ``SYSTEM``, ``PRACTITIONER``, ``PATIENT`` or ``SSL``, ``user_id``
    an absolute URL or a UUID. ``context`` holds absolute URLs under ``organization``,
    ``care_team``, ``patient`` and ``episode_of_care``; what is not chosen is left out.

    Whoever authenticates gives the same object again for the same credentials, so that
    what is known of a principal may be kept by it (``WeakKeyDictionary``); the hash is
    that of few fields and cheap.
    """

    user_type: str
    user_id: str
    privileges: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    #: a person's name, as the issuer tells it
    name: str = ""
    #: the program that the user works with
    client_id: str = ""
    #: URL of who vouches for all this
    issuer: str = ""
    #: short name of the issuer
    realm: str = ""
    #: codes of the telemedicine solutions that the program belongs to
    tags: frozenset[str] = frozenset()
    #: whether the care team is the episode's own; ``None``: not told
    team_on_episode: bool | None = None

    @property
    def unrestricted(self) -> bool:
        """Whether it is Fyr itself, or anybody at a server in open mode.

        No credentials lead to these two: they are objects of this process.
        """
        return self is SYSTEM or self is ANONYMOUS

    def __eq__(self, other: object) -> bool:
        """Compare all fields, unless it is the very same: it is, for a known token."""
        if self is other:
            return True
        if not isinstance(other, Principal):
            return NotImplemented
        return all(
            getattr(self, one.name) == getattr(other, one.name) for one in fields(self)
        )

    def __hash__(self) -> int:
        """Hash the fields that tell people apart."""
        return hash((self.user_type, self.user_id, self.issuer))


#: Where the state of a request keeps with which status plugins were told of it, if they
#: were, by the route itself (:meth:`fyr.core.Application.answered`).
TOLD = "fyr.told"

#: Fyr itself: jobs, imports, the command line.
SYSTEM = Principal("SYSTEM", "fyr")
#: The caller of a server in open mode.
ANONYMOUS = Principal("SYSTEM", "anonymous")


@dataclass(slots=True)
class RequestContext:
    """One interaction on its way through the server; entries of a bundle have their own.

    ``interaction`` is a code of https://hl7.org/fhir/R4/valueset-restful-interaction.html
    with the level in it: ``read vread update patch delete create search-type
    search-system history-instance history-type history-system capabilities batch
    transaction operation``.
    """

    service: Service
    interaction: str
    resource_type: str | None = None
    resource_id: str | None = None
    operation: str | None = None
    #: query parameters as sent, in their order
    params: tuple[tuple[str, str], ...] = ()
    #: the ``Authorization`` header as sent
    authorization: str | None = None
    principal: Principal = ANONYMOUS
    tenant: str = ""
    trace_id: str = ""
    #: base URL that this answer's links stand on, without a slash at its end
    base_url: str = ""
    #: ``Prefer: handling=``: ``strict`` (400 on what is unknown) or ``lenient``
    handling: str = "strict"
    #: when the request came in, with its time zone
    now: datetime | None = None
    #: the bundle that this interaction is an entry of
    parent: "RequestContext | None" = None
    #: room for plugins, kept for the length of the request; key by plugin name
    state: dict[str, Any] = field(default_factory=dict)
    #: type and id of what the compartment is of that a search is limited to:
    #: ``("Patient", "123")`` for ``/Patient/123/Observation``
    compartment: tuple[str, str] | None = None
    #: what a plugin has done to each resource before it is shown, where that is not for
    #: all requests (``before_show``); gives another one or the same, and alters none
    mask: "Callable[[dict[str, Any]], dict[str, Any]] | None" = None
    #: those of ``params`` that came in the body of a form, for no URL to hold
    posted: tuple[tuple[str, str], ...] = ()
    #: HTTP method, that of an entry's request in a bundle; empty: it did not come so
    method: str = ""
    #: the route of a plugin that is asked for
    route: Route | None = None
    #: path that was asked for, of a plugin's route: that of ``route`` filled in
    path: str = ""
    #: patients whose data a plugin's route is asked for, as references or absolute URLs:
    #: the plugin says so before it answers, for the audit log
    patients: tuple[str, ...] = ()
    #: address of the client, as far as it is known; empty: it did not come over HTTP
    remote: str = ""
    #: ``Prefer: respond-async``: https://hl7.org/fhir/R4/async.html
    prefers_async: bool = False
    #: ``Prefer: return=``: ``minimal``, ``representation``, ``OperationOutcome`` or nothing
    returns: str = ""
    #: request headers that the operation asked for goes by, names in small letters
    headers: Mapping[str, str] = field(default_factory=dict)

    def inner(
        self, interaction: str, resource_type: str | None, **differing: Any
    ) -> "RequestContext":
        """Make that of a part of this request: what an operation does for its caller.

        :param differing: what else is not as here; there are no parameters but these.
        """
        cleared = {"operation": None, "params": (), "posted": (), "parent": self}
        told = {"interaction": interaction, "resource_type": resource_type}
        return replace(self, **{**cleared, **told, **differing})


@dataclass(frozen=True, slots=True)
class Touched:
    """A version of a resource that an interaction has shown or made."""

    type: str
    id: str
    version: int
    how: How
