"""What a service does not offer of a type: parameters and includes, hidden from clients.

A plugin may narrow a search by any parameter, so only what the client sent is looked at.
"""

from collections.abc import Iterable, Iterator

from fyr.core.declarations.services import Service, TypeRules
from fyr.core.errors import Issue, NotSupported
from fyr.core.model.naming import did_you_mean


class Offered:
    """What a service offers to its clients, of all that can be searched by."""

    def __init__(self, service: Service) -> None:
        """Take the service."""
        self._service = service
        #: whether what is looked at was sent by the client; a plugin may use all
        self.sent = False

    def has(self, kind: str, code: str) -> bool:
        """Whether a type may be searched by a parameter."""
        offered = self._parameters(kind)
        return offered is None or code in offered

    def refuse(self, types: Iterable[str], code: str) -> None:
        """Refuse a parameter that one of the types may not be searched by.

        :raises NotSupported: names the service and the type.
        """
        for kind in types:
            offered = self._parameters(kind)
            if offered is not None and code not in offered:
                raise NotSupported(
                    f"{self._service.name} offers no search parameter {code!r} for"
                    f" {kind}{did_you_mean(code, offered)}"
                )

    def limits_links(self, kind: str) -> bool:
        """Whether ``*`` of an include means fewer references than there are."""
        rules = self._service.types.get(kind)
        return (
            self.sent
            and rules is not None
            and rules.includes is None
            and rules.search_parameters is not None
        )

    def refuse_include(self, types: Iterable[str], name: str, value: str) -> None:
        """Refuse an include that one of the types may not be searched with.

        :raises NotSupported: names the service and the include.
        """
        rules = [self._service.types.get(kind) for kind in types]
        found: dict[str, None] = {}
        for one in rules if self.sent else ():
            if one is not None:
                found.update(dict.fromkeys(_include(self._service, one, name, value)))
        if found:
            raise NotSupported([Issue(NotSupported.code, text) for text in found])

    def _parameters(self, kind: str) -> frozenset[str] | None:
        """Tell what a type may be searched by; ``None``: by all there is.

        A type that the service does not have, by nothing: it is another one's to tell.
        """
        if not self.sent:
            return None
        rules = self._service.types.get(kind)
        return frozenset() if rules is None else rules.search_parameters


#: Offers all that there is.
EVERYTHING = Offered(Service("", "", "", {}))


def _include(
    service: Service, rules: TypeRules, name: str, value: str
) -> Iterator[str]:
    """Tell what is wrong with an include: ``Type:parameter`` and, if any, ``:target``."""
    code, _, iterates = name.partition(":")
    wanted = ":".join(value.split(":")[:2])
    offered = rules.includes if code == "_include" else rules.revincludes
    if offered is None:
        offered = _by_parameters(service, wanted)
    elif iterates:
        offered = offered | _of_others(service, code, wanted.partition(":")[0])
    if wanted not in offered:
        yield (
            f"{service.name} offers no {code} of {wanted[:100]!r} here"
            f"{did_you_mean(wanted, offered)}"
        )


def _by_parameters(service: Service, wanted: str) -> frozenset[str]:
    """Tell the includes by the parameters that a type is searched by."""
    kind, _, code = wanted.partition(":")
    rules = service.types.get(kind)
    if rules is None:
        return frozenset({"*"})
    if rules.search_parameters is None or code == "*":
        return frozenset({wanted})
    return frozenset(f"{kind}:{one}" for one in rules.search_parameters)


def _of_others(service: Service, code: str, kind: str) -> frozenset[str]:
    """Tell what may be followed from resources that were included themselves."""
    if code == "_include":
        rules = service.types.get(kind)
        return (rules and rules.includes) or frozenset()
    listed = [one.revincludes for one in service.types.values() if one.revincludes]
    return frozenset().union(*listed)
