"""The page about every search parameter of R4, made from the data that search uses."""

from collections.abc import Iterable

from fyr.core.clock import utc_now
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameter, Parameters
from fyr.search.understanding.known import Known, why_not
from fyr.search.understanding.modifiers import offered
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.specials import SPECIALS

#: Parameters that no type declares.
_UNDECLARED = tuple(sorted(SPECIALS.keys() - Parameters().of("Patient").keys()))
#: What is to be known of parameters that are searched by.
_LIMITS = {
    "_text": "yes, where `search.full_text` is on",
    "_content": "yes, where `search.full_text` is on",
}
_HEAD = "| parameter | type | modifiers | support |\n|---|---|---|---|"


def support(parameter: Parameter) -> str:
    """Tell whether a parameter is searched by: ``yes``, with a limit, or why not."""
    if parameter.name in _LIMITS:
        return _LIMITS[parameter.name]
    if parameter.name in SPECIALS or parameter.table is not None:
        return "yes"
    return f"no: {why_not(parameter)}"


def modifiers(known: Known, parameter: Parameter) -> list[str]:
    """Tell the modifiers that a parameter can be searched with."""
    if parameter.name in SPECIALS or not support(parameter).startswith("yes"):
        return []
    return offered(known, [parameter])


def reference_page() -> str:
    """Make a table of what all types have, and one for each type."""
    parameters = Parameters()
    known = Known(parameters, Places(parameters), Operands(utc_now, str))
    common = [
        one for name, one in parameters.of("Patient").items() if name.startswith("_")
    ]
    rows = [_row(known, one) for one in common]
    rows += [f"| `{name}` | special |  | yes |" for name in _UNDECLARED]
    parts = [_section("All types", sorted(rows))]
    for kind in sorted(RESOURCE_TYPES):
        own = [
            _row(known, one)
            for name, one in parameters.of(kind).items()
            if not name.startswith("_")
        ]
        if own:
            parts.append(_section(kind, own))
    return "\n".join(parts)


def _section(title: str, rows: Iterable[str]) -> str:
    return "\n".join([f"## {title}\n", _HEAD, *rows, ""])


def _row(known: Known, one: Parameter) -> str:
    listed = " ".join(f"`:{name}`" for name in modifiers(known, one))
    return f"| `{one.name}` | {one.type} | {listed} | {support(one)} |"
