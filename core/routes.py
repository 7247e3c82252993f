"""Plain HTTP resources that plugins offer beside FHIR."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the server and the Falcon resource that answers there.

    ``path`` is a template as https://falcon.readthedocs.io/en/stable/api/routing.html
    has it, such as ``/greeter/{name}``; below the base of a FHIR service only
    ``.well-known/`` and a name. ``resource`` has ``on_get`` and the like.
    A ``public`` route answers without a principal; any other is asked for through
    the hooks ``authenticate`` and ``authorize`` like a FHIR request, and finds its
    :class:`~fyr.core.RequestContext`, principal included, in ``req.context.caller``.
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
