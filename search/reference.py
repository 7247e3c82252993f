"""The page about every search parameter of R4, made from the data that search uses."""

from collections.abc import Iterable

from fyr.core.clock import utc_now
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.full_text import queries
from fyr.search.parameters import Parameter, Parameters
from fyr.search.terms import definitions, value_sets
from fyr.search.understanding import criteria, filters, operands, query, results
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


#: What a search may hold, and how much of it.
LIMITS = (
    ("criteria of a search", query.MOST_CRITERIA),
    ("values of a criterion, parted by commas", operands.MOST_VALUES),
    ("values of all criteria together", query.MOST_VALUES),
    ("links of a chain, `_has` included", criteria.LONGEST_CHAIN),
    ("characters of a text that is searched for, but for `:exact`", operands.LONGEST),
    ("words and phrases in `_text` or `_content`", queries.MOST),
    ("comparisons in a `_filter`", filters.MOST_COMPARISONS),
    ("parentheses and brackets inside each other in a `_filter`", filters.DEEPEST),
    ("codes of a ValueSet, or above or below a code", value_sets.MOST_CODES),
    ("ValueSets and CodeSystems that are read for these", definitions.MOST_READ),
    ("parameters in `_sort`", results.MOST_KEYS),
    ("`_include` and `_revinclude`", results.MOST_INCLUDES),
)


def limits_page() -> str:
    """Make a table of what a search may hold; one that holds more is refused."""
    rows = [f"| {what} | {most:,} |" for what, most in LIMITS]
    return "\n".join(["| what | at most |", "|---|---|", *rows, ""])


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
