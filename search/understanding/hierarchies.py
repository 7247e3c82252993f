"""Modifiers that go up and down: paths of URLs, and resources that are parts of others.

https://hl7.org/fhir/R4/search.html#uri, https://hl7.org/fhir/R4/search.html#reference
"""

import re

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.links import by_url
from fyr.search.parameters import Parameter
from fyr.search.texts import KEPT_BEGINNING
from fyr.search.tree import Beginning, Match, Operand, Relatives
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import plain, reference, stored_uri, values

#: Parameters that lead from a resource to what it is a part of.
_PARENTS = ("partof", "part-of", "parent")
#: A URL up to its host: nothing is above it.
_HOST = re.compile(r"[a-z][a-z0-9+.\-]*://[^/|]+", re.ASCII | re.IGNORECASE)
_STEP = re.compile(r"[/|]")


def uri_above(known: Known, found: list[Parameter], value: str) -> Match:
    """``:above``: a URL is the one that is sent, or one that this stands below of."""
    operands: list[Operand] = []
    for url in _urls(value, found[0].name):
        operands += [stored_uri(one) for one in _above(url)]
    return Match(known.places.sources(found), tuple(operands))


def _above(url: str) -> list[str]:
    """Write a URL, and those that end where one of its steps does."""
    own = url.rstrip("/")
    ends = [found.start() for found in _STEP.finditer(own, len(_host(url)))]
    above = [own[:end] for end in (*ends, len(own))]
    # No difference is made by a slash at the end.
    return [url, *above, *(f"{one}/" for one in above)]


def uri_below(known: Known, found: list[Parameter], value: str) -> Match:
    """``:below``: a URL is the one that is sent, or stands below it, or is a version."""
    operands: list[Operand] = []
    for url in _urls(value, found[0].name):
        _host(url)
        own = url.rstrip("/")
        if len(own) >= KEPT_BEGINNING:
            raise Invalid(
                f"{found[0].name}:below has more than {KEPT_BEGINNING} characters"
            )
        operands += [stored_uri(url), stored_uri(own)]
        operands += [Beginning(f"{own}/"), Beginning(f"{own}|")]
    return Match(known.places.sources(found), tuple(operands))


def _urls(value: str, name: str) -> list[str]:
    return [plain(one) for one in values(value, name)]


def _host(url: str) -> str:
    host = _HOST.match(url)
    if host is None:
        raise Invalid(
            f"{url[:100]!r} is no URL: above and below are about the steps of a path"
        )
    return host[0]


def part_above(known: Known, found: list[Parameter], value: str) -> Match:
    """``:above`` of a reference: it leads there, or to what that is a part of."""
    return _related(known, found, value, below=False)


def part_below(known: Known, found: list[Parameter], value: str) -> Match:
    """``:below`` of a reference: it leads there, or to a part of that."""
    return _related(known, found, value, below=True)


def _related(known: Known, found: list[Parameter], value: str, *, below: bool) -> Match:
    above = parents(known, found)
    if not above:
        raise NotSupported(
            f"what search parameter {found[0].name!r} leads to are no parts of each"
            " other: nothing is above or below"
        )
    operands: list[Operand] = []
    for one in values(value, found[0].name):
        target = reference(known.operands.relative(plain(one)))
        kind = target.type or (next(iter(above)) if len(above) == 1 else "")
        if kind not in above:
            raise Invalid(
                f"{found[0].name}: {one[:60]!r} is none of"
                f" {', '.join(f'{name}/[id]' for name in above)}"
            )
        known.elsewhere().note([kind], above[kind].name)
        sources = known.places.sources([above[kind]])
        operands.append(Relatives(kind, target.id, sources, below))
    return Match(known.places.sources(found), tuple(operands))


def parents(known: Known, found: list[Parameter]) -> dict[str, Parameter]:
    """Tell what leads up, for each type that the parameter may lead to and has parts."""
    if any(map(by_url, found)):
        # They name resources by their URL, which tells nothing of parts.
        return {}
    allowed = sorted({kind for one in found for kind in one.targets or RESOURCE_TYPES})
    return {
        kind: parameter
        for kind in allowed
        for name, parameter in known.parameters.of(kind).items()
        if name in _PARENTS and kind in parameter.targets
    }
