"""What a service does not offer of a type: its search parameters, hidden from clients.

A plugin may narrow a search by any parameter, so only what the client sent is looked at.
"""

from collections.abc import Iterator, Sequence

from fyr.core.context import RequestContext
from fyr.core.errors import FyrError, NotSupported
from fyr.search.parameters import Parameters
from fyr.search.understanding import filters


def refuse_hidden(
    context: RequestContext, parameters: Parameters, types: Sequence[str]
) -> None:
    """Refuse what the service does not offer and its client has sent.

    :raises NotSupported: names it.
    """
    for kind in types:
        rules = context.service.types.get(kind)
        if rules is None or rules.search_parameters is None:
            continue
        for name, value in context.params:
            for code in _asked(name, value):
                known = code in parameters.of(kind) and not code.startswith("_")
                if known and code not in rules.search_parameters:
                    raise NotSupported(
                        f"{context.service.name} offers no search parameter {code!r}"
                        f" for {kind}"
                    )


def _asked(name: str, value: str) -> Iterator[str]:
    """Tell the parameters that a name and value of a URL are about."""
    code = name.partition(":")[0].partition(".")[0]
    if code == "_filter":
        try:
            yield from filters.names(filters.parse(value))
        except FyrError:
            # A lenient search has left it out.
            return
    elif code == "_sort":
        yield from (one.removeprefix("-") for one in value.split(","))
    else:
        yield code
