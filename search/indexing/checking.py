"""What a SearchParameter must be for this server to find by it.

https://hl7.org/fhir/R4/searchparameter.html. All problems are told when it is stored;
drafts and retired ones are kept as what they are, documents.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from fyr.core.errors import Issue
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.core.model.resource import Resource
from fyr.search.extraction.composites import component_leads
from fyr.search.extraction.expressions import NotSimple
from fyr.search.extraction.forms import parsed, roots, unsupported
from fyr.search.extraction.layouts import layout
from fyr.search.extraction.spots import Node, spots_of
from fyr.search.parameters import STANDARD, TABLES, Parameter, Parameters

_BASES = RESOURCE_TYPES | {"Resource", "DomainResource"}
_ONLY_PATHS = "of a composite, only paths are supported"
# Names that begin with _ are FHIR's, and those that the server itself asks for.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,63}", re.ASCII)


def accepted(
    built_in: Sequence[Resource], stored: Iterable[Resource]
) -> list[Resource]:
    """Choose the parameters to search by, of those that are stored.

    What has problems is left out, and of several with one code the first one counts:
    two who stored them at the same time may not have seen each other.
    """
    own = Parameters(built_in)
    taken: set[tuple[str, str]] = set()
    found: list[Resource] = []
    for one in stored:
        if one.get("status") != "active" or is_standard(one) or any(_problems(one)):
            continue
        code = one["code"]
        keys = {(kind, code) for kind in kinds_of(one)}
        if keys & taken or any(code in own.of(kind) for kind, _ in keys):
            continue
        if any(_useless(one, Parameters([*built_in, *found, one]))):
            continue
        taken |= keys
        found.append(one)
    return found


def is_standard(resource: Resource) -> bool:
    """Whether it is one that FHIR itself defines, which the server knows anyway."""
    return str(resource.get("url", "")).startswith(STANDARD)


def problems(resource: Resource, known: Parameters) -> list[Issue]:
    """Tell why an active SearchParameter cannot be searched by."""
    if resource.get("status") != "active" or is_standard(resource):
        return []
    found = [*_problems(resource), *_clashes(resource, known)]
    if found:
        return found
    custom = [*(one for one in known.custom if one["url"] != resource["url"]), resource]
    return list(_useless(resource, Parameters(custom)))


def _issue(element: str, text: str) -> Issue:
    return Issue("business-rule", text, (f"SearchParameter.{element}",))


def _problems(resource: Resource) -> Iterator[Issue]:
    """Tell what is wrong with a parameter on its own."""
    for number, base in enumerate(resource.get("base", [])):
        if base not in _BASES:
            hint = did_you_mean(base, _BASES)
            yield _issue(f"base[{number}]", f"{base!r} is no resource type{hint}")
    code, type_ = resource.get("code", ""), resource.get("type", "")
    if not _CODE.fullmatch(code):
        why = ": those with _ before them are taken" if code.startswith("_") else ""
        yield _issue("code", f"{code!r} cannot be the name of a search parameter{why}")
    if type_ not in TABLES or type_ == "special":
        yield _issue("type", f"search parameters of type {type_!r} are not supported")
    yield from _about_expression(resource)


def _about_expression(resource: Resource) -> Iterator[Issue]:
    expression = resource.get("expression", "")
    if not expression:
        yield _issue("expression", "without an expression nothing can be found by it")
        return
    wrong = parsed(expression) or unsupported(expression)
    if wrong:
        yield _issue("expression", wrong)
        return
    bases = set(resource.get("base", []))
    begun = roots(expression)
    if bases & {"Resource", "DomainResource"} or "" in begun:
        return
    for base in sorted(bases - begun):
        if not begun & {"Resource", "DomainResource"}:
            yield _issue("expression", f"no part of it begins at {base}, a base")


def _clashes(resource: Resource, known: Parameters) -> Iterator[Issue]:
    """Tell the types that have another parameter of this code."""
    code, url = resource["code"], resource.get("url")
    clashing: dict[str, list[str]] = {}
    for kind in kinds_of(resource):
        other = known.of(kind).get(code)
        if other is not None and other.url != url:
            clashing.setdefault(other.url, []).append(kind)
    for other_url, kinds in clashing.items():
        some = ", ".join(kinds[:3]) + (" and others" if len(kinds) > 3 else "")
        yield _issue(
            "code",
            f"{some} can be searched by {code!r} already, which is {other_url}",
        )


def _useless(resource: Resource, known: Parameters) -> Iterator[Issue]:
    """Tell the bases of which nothing could ever be found by it."""
    if resource["type"] == "composite":
        yield from _about_components(resource, known)
        return
    bases = resource["base"]
    for kind in kinds_of(resource):
        one = known.of(kind)[resource["code"]]
        wrong = [path for path in one.paths if not _leads(one, path)]
        if wrong and (kind in bases or len(wrong) == len(one.paths)):
            for path in wrong:
                yield _issue(
                    "expression",
                    f"{path} leads to nothing in R4 that a {one.type} parameter reads",
                )
            return


def _leads(one: Parameter, path: str) -> bool:
    try:
        return any(True for _ in spots_of(Node(), one.resource_type, one.type, path))
    except NotSimple:
        return False


def _about_components(resource: Resource, known: Parameters) -> Iterator[Issue]:
    components = resource.get("component", [])
    types = [known.type_of(one["definition"].partition("|")[0]) for one in components]
    for number, (one, type_) in enumerate(zip(components, types, strict=True)):
        if not type_:
            text = f"{one['definition']} is no search parameter that is known here"
            yield _issue(f"component[{number}].definition", text)
    if all(types) and not layout(types):
        text = f"composites of {', '.join(types) or 'nothing'} are not supported"
        yield _issue("component", text)
    if not all(types) or not layout(types):
        return
    for kind in kinds_of(resource):
        one = known.of(kind)[resource["code"]]
        found = list(_about_paths(kind, one))
        if found:
            yield from found
            return


def _about_paths(kind: str, one: Parameter) -> Iterator[Issue]:
    """Tell which expressions of a composite are no paths, or lead to nothing."""
    if one.evaluated:
        yield _issue("expression", _ONLY_PATHS)
        return
    for number, component in enumerate(one.components):
        element = f"component[{number}].expression"
        try:
            leads = component_leads(kind, one, component)
        except NotSimple:
            yield _issue(element, _ONLY_PATHS)
            continue
        if not leads:
            yield _issue(
                element,
                f"{component.expression} leads to nothing in R4 that a"
                f" {component.type} parameter reads",
            )


def kinds_of(resource: Resource) -> list[str]:
    """Tell the resource types that a parameter is about."""
    bases = set(resource["base"])
    if "Resource" in bases:
        return sorted(RESOURCE_TYPES)
    if "DomainResource" in bases:
        plain = {"Binary", "Bundle", "Parameters"}
        return sorted((RESOURCE_TYPES - plain) | (bases & RESOURCE_TYPES))
    return sorted(bases & RESOURCE_TYPES)


def slow(resource: Resource) -> bool:
    """Whether it has expressions that are evaluated on the whole of each resource."""
    known = Parameters([resource])
    return any(
        known.of(kind)[resource["code"]].evaluated
        for kind in kinds_of(resource)
        if resource["code"] in known.of(kind)
    )


def texts(issues: Iterable[Issue]) -> str:
    """Write issues as one sentence."""
    return "; ".join(one.diagnostics for one in issues)
