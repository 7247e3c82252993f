"""One criterion, understood: a special parameter, a chain, or a parameter's values.

https://hl7.org/fhir/R4/search.html#chaining
"""

from collections.abc import Sequence

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.search.parameters import Parameter
from fyr.search.tree import Chain, Criterion
from fyr.search.understanding.contained import inside
from fyr.search.understanding.known import Known, refuse_by_url, refuse_no_target
from fyr.search.understanding.modifiers import understood
from fyr.search.understanding.specials import SPECIALS

#: Links that one criterion may go through.
LONGEST_CHAIN = 8


class Criteria:
    """Understands criteria, those inside others included."""

    def __init__(self, known: Known) -> None:
        """Take what criteria are understood with."""
        self.known = known

    def criterion(
        self, types: Sequence[str], name: str, value: str, depth: int = 0
    ) -> Criterion:
        """Understand one criterion on resources of the types.

        :param name: with its modifier or chain, as in the URL.
        :raises NotSupported: it is not known or not offered.
        :raises Invalid: its value means nothing.
        """
        if depth > LONGEST_CHAIN:
            raise Invalid(f"{name[:60]!r} goes through more than {LONGEST_CHAIN} links")
        if depth and not self.known.is_elsewhere:
            return Criteria(self.known.elsewhere()).criterion(types, name, value, depth)
        special = SPECIALS.get(_code(name))
        if special is not None:
            self.known.offered.refuse(types, _code(name))
            self.known.note(types, _code(name))
            return special(self, types, name, value, depth)
        first, dot, rest = name.partition(".")
        code, _, modifier = first.partition(":")
        found = self.known.find(types, code)
        if dot:
            return self._chain(found, modifier, rest, value, depth)
        return understood(self.known, found, modifier, value)

    def _chain(
        self, found: list[Parameter], kind: str, rest: str, value: str, depth: int
    ) -> Criterion:
        if found[0].type != "reference":
            raise NotSupported(
                f"{found[0].name!r} is no reference: nothing can be chained to it"
            )
        if kind and kind not in RESOURCE_TYPES:
            raise NotSupported(
                f"{kind[:60]!r} is not a resource type"
                + did_you_mean(kind, RESOURCE_TYPES)
            )
        refuse_by_url(found)
        refuse_no_target(found, kind)
        targets = [kind] if kind else self._targets(found, rest)
        inner = self.criterion(targets, rest, value, depth + 1)
        sources = self.known.places.sources(found)
        return Chain(sources, tuple(targets), inner, inside(inner, targets))

    def _targets(self, found: list[Parameter], rest: str) -> list[str]:
        """Tell the types that a reference may lead to and that have the next parameter."""
        allowed = {kind for one in found for kind in one.targets or RESOURCE_TYPES}
        code = _code(rest)
        parameters, offered = self.known.parameters, self.known.offered
        having = [
            kind
            for kind in sorted(allowed)
            if code in SPECIALS or code in parameters.of(kind)
        ]
        targets = [kind for kind in having if offered.has(kind, code)]
        if having and not targets:
            offered.refuse(having, code)
        if not targets:
            known = {name for kind in allowed for name in parameters.of(kind)}
            raise NotSupported(
                f"nothing that {found[0].name!r} leads to has a search parameter"
                f" {code[:60]!r}{did_you_mean(code, known)}"
            )
        return targets


def _code(name: str) -> str:
    """Take a name's modifier and chain away."""
    return name.partition(".")[0].partition(":")[0]
