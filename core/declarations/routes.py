"""Plain HTTP resources that plugins offer beside FHIR."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_VERBS = ("get", "head", "post", "put", "patch", "delete", "options")


@dataclass(frozen=True, slots=True)
class Allow:
    """Who may use a method of a route.

    Whoever is known, unless ``user_types`` names some (``SYSTEM``, ``PRACTITIONER``,
    ``PATIENT``, ``SSL``) or ``privileges`` some of which one is needed.
    """

    user_types: frozenset[str] = frozenset()
    privileges: frozenset[str] = frozenset()

    def lets(self, user_type: str, privileges: frozenset[str]) -> bool:
        """Whether it lets somebody pass."""
        return (not self.user_types or user_type in self.user_types) and (
            not self.privileges or not self.privileges.isdisjoint(privileges)
        )


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the server and the Falcon resource that answers there.

    ``path`` is a template as https://falcon.readthedocs.io/en/stable/api/routing.html
    has it, such as ``/greeter/{name}``; below the base of a FHIR service only
    ``.well-known/`` and a name. ``resource`` has ``on_get`` and the like.
    A ``public`` route answers without a principal; any other is asked for through
    the hooks ``authenticate`` and ``authorize`` like a FHIR request, and finds its
    :class:`~fyr.core.RequestContext`, principal included, in ``req.caller``.
    """

    path: str
    resource: object
    documentation: str
    public: bool = False
    #: whether bodies may be as large as ``blobs.max_bytes``
    large: bool = False
    #: whether the resource itself decides who may do what; anybody else's access control
    #: then lets everyone pass who is known
    decides: bool = False
    #: who may use which method (``GET`` is for ``HEAD``, too): the core refuses everybody
    #: else, and access control that goes by tables of its own leaves it to that
    access: Mapping[str, Allow] = field(default_factory=dict)
    #: whether a public route is told of like any other: ``request_received`` may refuse
    #: its requests, ``completed`` hears of them, and ``req.caller`` is there
    counted: bool = False
    #: method -> what it takes and answers, an Operation Object of
    #: https://spec.openapis.org/oas/v3.1.0#operation-object; for ``/openapi.json``
    operations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def own_rules(self) -> bool:
        """Whether the route, and not anybody else's table, tells who may use it."""
        return self.decides or bool(self.access)

    @property
    def methods(self) -> list[str]:
        """The methods that the resource answers, in capitals."""
        return [one.upper() for one in _VERBS if hasattr(self.resource, f"on_{one}")]

    def allow(self, method: str) -> Allow | None:
        """Tell who may use a method, where the route says so."""
        return self.access.get("GET" if method == "HEAD" else method)

    def __post_init__(self) -> None:
        """Refuse what could answer nothing.

        :raises ValueError: the path is relative, or the resource answers no method.
        """
        if not self.path.startswith("/") or self.path == "/":
            raise ValueError(
                f"a route's path begins with '/' and a name: {self.path!r}"
            )
        if not any(name.startswith("on_") for name in dir(self.resource)):
            raise ValueError(f"{self.path}: the resource has no method such as on_get")
        if self.access and self.public:
            raise ValueError(f"{self.path}: a public route has no access rules")
        needed = set(self.methods) - {"HEAD", "OPTIONS"} if self.access else set()
        if needed != set(self.access):
            raise ValueError(f"{self.path}: access is to name {sorted(needed)}")
