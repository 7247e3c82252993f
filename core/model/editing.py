"""Changes to single elements of a resource in its JSON form.

A primitive and what stands beside it in the ``_`` member are changed as one, and lists
of both keep the same length: https://hl7.org/fhir/R4/json.html#primitive.
"""

from itertools import zip_longest
from typing import Any

from fyr.core.model.definitions import Element
from fyr.core.model.fhirpath.nodes import Node

Extra = dict[str, Any] | None
#: A value, and what stands beside it.
Pair = tuple[Any, Extra]


def pairs_in(holder: dict[str, Any], key: str) -> list[Pair]:
    """Give a list with its extensions, item by item."""
    return list(zip_longest(holder.get(key) or (), holder.get("_" + key) or ()))


def store_pairs_in(holder: dict[str, Any], key: str, pairs: list[Pair]) -> None:
    """Put a list with its extensions back; an empty one is taken away."""
    values = [value for value, _ in pairs]
    extras = [extra for _, extra in pairs]
    _store(holder, key, values if any(v is not None for v in values) else None)
    _store(holder, "_" + key, extras if any(e is not None for e in extras) else None)


def store_one_in(holder: dict[str, Any], key: str, value: Any, extra: Extra) -> None:
    """Put a single element in; without a value and extensions it is taken away."""
    _store(holder, key, value)
    _store(holder, "_" + key, extra)


def _store(holder: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        holder.pop(key, None)
    else:
        holder[key] = value


def pairs(node: Node, key: str) -> list[Pair]:
    """Give a list that stands in an element, with its extensions."""
    return pairs_in(node.holder(), key)


def store_pairs(node: Node, key: str, items: list[Pair]) -> None:
    """Put a list back into the element that it stands in."""
    store_pairs_in(node.holder(), key, items)
    _attach(node)


def append(node: Node, element: Element, value: Any, extra: Extra) -> None:
    """Add a child: at the end of its list, or as the only one."""
    if element.is_list:
        store_pairs(node, element.name, [*pairs(node, element.name), (value, extra)])
        return
    store_one_in(node.holder(), element.name, value, extra)
    _attach(node)


def replace(node: Node, element: Element, value: Any, extra: Extra) -> None:
    """Put another value where an element stands; a choice may change its type."""
    if node.parent is None:
        raise ValueError("a resource stands nowhere")
    holder = node.parent.holder()
    if element.name != node.key:
        _rename(holder, node.key, element.name)
    node.key = element.name
    _write(holder, node, (value, extra))


def remove(node: Node) -> None:
    """Take an element away, and what holds nothing else."""
    if node.parent is None:
        raise ValueError("a resource stands nowhere")
    holder = node.parent.holder()
    if node.index is None:
        store_one_in(holder, node.key, None, None)
    else:
        rest = pairs_in(holder, node.key)
        del rest[node.index]
        store_pairs_in(holder, node.key, rest)
    parent = node.parent
    if holder or parent.parent is None:
        return
    if parent.value is None or parent.value is holder:
        remove(parent)
    else:
        parent.extra = None
        _attach(parent)


def _attach(node: Node) -> None:
    """Put a primitive's extensions beside it, when they are new or gone."""
    if node.parent is not None and not isinstance(node.value, dict):
        _write(node.parent.holder(), node, (node.value, node.extra))


def _write(holder: dict[str, Any], node: Node, pair: Pair) -> None:
    if node.index is None:
        store_one_in(holder, node.key, *pair)
    else:
        items = pairs_in(holder, node.key)
        items[node.index] = pair
        store_pairs_in(holder, node.key, items)


def _rename(holder: dict[str, Any], old: str, new: str) -> None:
    """Give a member another name in its place."""
    names = {old: new, "_" + old: "_" + new}
    members = [(names.get(key, key), value) for key, value in holder.items()]
    holder.clear()
    holder.update(members)
