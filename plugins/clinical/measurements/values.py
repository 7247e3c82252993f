"""Whether an answer is of the type that its question asks for, and one of its options. Pure.

https://hl7.org/fhir/R4/valueset-item-type.html says which type each kind of question is
answered in. Value sets (``answerValueSet``) are held to beside it, by ``value_sets``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fyr.core.workflow.timing import first_of
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.enabling import Item

MIN_VALUE = "http://hl7.org/fhir/StructureDefinition/minValue"
MAX_VALUE = "http://hl7.org/fhir/StructureDefinition/maxValue"
_VALUE = "value"
_FREE = "open-choice"
#: Kind of question -> elements that an answer to it is in.
_ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    _FREE: ("valueCoding", "valueString"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}


def misfits(item: Item, answer: Item) -> Iterator[str]:
    """Tell in words what of an answer its question does not take.

    An answer without a value, which an extension may give a reason for, is none.
    """
    name = next((one for one in answer if one.startswith(_VALUE)), None)
    taken = _taken(item)
    if name is None or not taken:
        return
    if name not in taken:
        yield f"it takes {' or '.join(taken)}, and not {name}"
        return
    value = answer[name]
    if not _is_option(item, name, value):
        yield "this is none of its options"
    longest = item.get("maxLength")
    if isinstance(value, str) and type(longest) is int and len(value) > longest:
        yield f"it takes {longest} characters at most"
    least, most = (extensions.value_of(item, url) for url in (MIN_VALUE, MAX_VALUE))
    if _is_less(value, least):
        yield f"it takes {least} at least"
    if _is_less(most, value):
        yield f"it takes {most} at most"


def _taken(item: Item) -> tuple[str, ...]:
    """Tell the elements of answers; a choice may be among options that are no codings."""
    kind = item.get("type", "")
    found = _ELEMENTS.get(kind, ())
    if kind in ("choice", _FREE):
        named = [_of_option(one)[0] for one in item.get("answerOption", ())]
        found = tuple(dict.fromkeys([*found, *filter(None, named)]))
    return found


def _is_option(item: Item, name: str, value: Any) -> bool:
    """Whether a value is among the options, where there are some and none is free."""
    options = item.get("answerOption", ())
    if not options or (item.get("type") == _FREE and name == "valueString"):
        return True
    return any(
        name == other and _is_same(value, option)
        for other, option in map(_of_option, options)
    )


def _of_option(option: Item) -> tuple[str, Any]:
    found = ((key, one) for key, one in option.items() if key.startswith(_VALUE))
    return next(found, ("", None))


def _is_same(value: Any, option: Any) -> bool:
    """Whether two values mean the same; a coding is its code, in its system if both say."""
    if not isinstance(value, Mapping) or not isinstance(option, Mapping):
        return bool(value == option)
    if "code" in option and "value" not in option:
        systems = {one["system"] for one in (value, option) if "system" in one}
        return value.get("code") == option["code"] and len(systems) < 2
    meant = ("reference", "value", "system", "code", "display")
    return all(value.get(one) == option.get(one) for one in meant if one in option)


def _is_less(value: Any, other: Any) -> bool:
    """Whether one value is less than another; what cannot be compared is not."""
    if isinstance(value, str) and isinstance(other, str):
        value, other = first_of(value), first_of(other)
    if value is None or other is None:
        return False
    try:
        return bool(value < other)
    except TypeError:
        return False
