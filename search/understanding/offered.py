"""What a service does not offer of a type: parameters and includes, hidden from clients.

A plugin may narrow a search by any parameter, so only what the client sent is looked at.
"""

from collections.abc import Iterator, Sequence

from fyr.core.context import RequestContext
from fyr.core.errors import FyrError, Issue, NotSupported
from fyr.core.model.naming import did_you_mean
from fyr.core.services import Service, TypeRules
from fyr.search.parameters import ON_THE_ROW, Parameters
from fyr.search.understanding import filters
from fyr.search.understanding.specials import SPECIALS


def refuse_hidden(
    context: RequestContext, parameters: Parameters, types: Sequence[str]
) -> None:
    """Refuse what the service does not offer and its client has sent.

    :raises NotSupported: names all of it.
    """
    problems: dict[str, None] = {}
    for kind in types:
        rules = context.service.types.get(kind)
        if rules is None:
            continue
        for name, value in context.params:
            code = name.partition(":")[0]
            if code in ("_include", "_revinclude"):
                found = _include(context.service, rules, name, value)
            else:
                found = _parameters(
                    context.service, rules, kind, parameters, name, value
                )
            problems.update(dict.fromkeys(found))
    if problems:
        raise NotSupported([Issue(NotSupported.code, text) for text in problems])


def _parameters(
    service: Service,
    rules: TypeRules,
    kind: str,
    parameters: Parameters,
    name: str,
    value: str,
) -> Iterator[str]:
    offered = rules.search_parameters
    if offered is None:
        return
    known = {*parameters.of(kind), *SPECIALS}
    for code in _asked(name, value):
        if code in known and code not in offered:
            yield (
                f"{service.name} offers no search parameter {code!r} for {kind}"
                f"{did_you_mean(code, offered)}"
            )


def _asked(name: str, value: str) -> Iterator[str]:
    """Tell the parameters that a name and value of a URL are about."""
    code = name.partition(":")[0].partition(".")[0]
    if code == "_filter":
        yield code
        try:
            yield from filters.names(filters.parse(value))
        except FyrError:
            # A lenient search has left it out.
            return
    elif code == "_sort":
        names = [one.removeprefix("-") for one in value.split(",")]
        yield from (one for one in names if one not in ON_THE_ROW)
    else:
        yield code


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
