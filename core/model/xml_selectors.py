"""The selectors of XML Patch: https://www.rfc-editor.org/rfc/rfc5261#section-4.1.

A small part of XPath, and all that the RFC asks for on elements and attributes. A full
XPath engine would let a patch run for hours, so there is none behind this.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from fyr.core.errors import Invalid
from fyr.core.model.budget import Budget
from fyr.core.model.xml_names import FHIR, text_of

_NAME = r"(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*"
_PREDICATE = re.compile(
    rf"""\[\s*(?:
        (?P<position>[1-9][0-9]{{0,5}})
      | (?P<subject>(?:{_NAME}/)*@?{_NAME}|\.)\s*=\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")
    )\s*\]""",
    re.VERBOSE,
)
_STEP = re.compile(rf"@?{_NAME}|\*")
_ID = re.compile(r"""id\(\s*(?:'([^']*)'|"([^"]*)")\s*\)""")
#: The longest selector that is taken.
MAX_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Predicate:
    """``[3]``, ``[@id='a']``, ``[.='text']`` or ``[f:use='home']``.

    FHIR keeps values in attributes, so paths are taken too: ``[f:use/@value='home']``.
    """

    position: int = 0
    subject: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A name and the predicates that narrow it."""

    name: str
    predicates: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector that was read: a path to elements, maybe to an attribute of them."""

    text: str
    id: str | None
    steps: tuple[Step, ...]
    attribute: str | None
    namespaces: Mapping[str | None, str]

    def elements(self, root: etree._Element, budget: Budget) -> list[etree._Element]:
        """Find the elements that the path selects, the attribute left aside.

        :raises Invalid: the budget does not suffice.
        """
        if self.id is not None:
            found = [
                node for node in root.iter(etree.Element) if node.get("id") == self.id
            ]
        else:
            found = self._narrowed([root], self.steps[0], budget) if self.steps else []
        for step in self.steps if self.id is not None else self.steps[1:]:
            found = [
                child
                for node in found
                for child in self._narrowed(
                    list(node.iterchildren(etree.Element)), step, budget
                )
            ]
        return found

    def _narrowed(
        self, nodes: list[etree._Element], step: Step, budget: Budget
    ) -> list[etree._Element]:
        budget.spend(1 + len(nodes))
        if step.name != "*":
            wanted = self._qualified(step.name)
            nodes = [node for node in nodes if node.tag == wanted]
        for predicate in step.predicates:
            if predicate.position:
                nodes = nodes[predicate.position - 1 : predicate.position]
            else:
                nodes = [node for node in nodes if self._holds(node, predicate, budget)]
        return nodes

    def _holds(
        self, node: etree._Element, predicate: Predicate, budget: Budget
    ) -> bool:
        if not predicate.subject.startswith("@"):
            budget.spend(sum(1 for _ in node.iter()))
        if predicate.subject == ".":
            return text_of(node) == predicate.value
        nodes = [node]
        *path, last = predicate.subject.split("/")
        for name in path if last.startswith("@") else [*path, last]:
            wanted = self._qualified(name)
            nodes = [child for each in nodes for child in each.iterchildren(wanted)]
        if last.startswith("@"):
            return any(each.get(last[1:]) == predicate.value for each in nodes)
        return any(text_of(each) == predicate.value for each in nodes)

    def _qualified(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        if not colon:
            # Without a declaration FHIR's own namespace is meant.
            return f"{{{self.namespaces.get(None) or FHIR}}}{local}"
        if prefix == "f" and prefix not in self.namespaces:
            # The prefix that FHIR's own pages use for it.
            return f"{{{FHIR}}}{local}"
        if prefix not in self.namespaces:
            raise Invalid(
                f"selector {self.text!r}: the prefix {prefix!r} is not declared"
            )
        return f"{{{self.namespaces[prefix]}}}{local}"


def read_selector(text: str, namespaces: Mapping[str | None, str]) -> Selector:
    """Read a ``sel`` attribute.

    :param namespaces: prefixes that are declared where it stands.
    :raises Invalid: not a selector, or one of a kind that is not supported.
    """
    if len(text) > MAX_LENGTH:
        raise Invalid(f"a selector of more than {MAX_LENGTH} characters")
    rest = text.strip()
    start = _ID.match(rest)
    if start:
        rest = rest[start.end() :]
    rest = rest.removeprefix("/")
    steps: list[Step] = []
    while rest and not rest.startswith("@"):
        step, rest = _step(rest, text)
        steps.append(step)
    attribute = None
    if rest.startswith("@"):
        match = _STEP.fullmatch(rest)
        if match is None:
            raise _unreadable(text)
        attribute = rest[1:]
    if not steps and not start:
        raise _unreadable(text)
    identifier = (start[1] or start[2] or "") if start else None
    return Selector(text, identifier, tuple(steps), attribute, namespaces)


def _step(rest: str, text: str) -> tuple[Step, str]:
    match = _STEP.match(rest)
    if match is None:
        raise _unreadable(text)
    position = match.end()
    predicates = []
    while (found := _PREDICATE.match(rest, position)) is not None:
        value = found["single"] if found["single"] is not None else found["double"]
        predicates.append(
            Predicate(int(found["position"] or 0), found["subject"] or "", value or "")
        )
        position = found.end()
    following = rest[position:]
    if following and (not following.startswith("/") or following == "/"):
        raise _unreadable(text)
    return Step(match.group(), tuple(predicates)), following[1:]


def _unreadable(text: str) -> Invalid:
    return Invalid(
        f"selector {text!r}: a path of names is expected, with predicates such as"
        " [2], [@id='a'] or [use/@value='home'], and '@value' at its end"
    )
