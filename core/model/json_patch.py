"""JSON Patch: https://www.rfc-editor.org/rfc/rfc6902 on https://www.rfc-editor.org/rfc/rfc6901.

Beyond the RFC: a list or object that a removal has emptied is removed too, because
FHIR's JSON has no empty ones; and what ``copy`` may multiply is bounded.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fyr.core.errors import Invalid, Issue, Refused
from fyr.core.model import json
from fyr.core.model.json import Limits
from fyr.core.model.nesting import MAX_DEPTH, measure

#: Members that each operation needs besides ``op`` and ``path``.
_NEEDS = {
    "add": ("value",),
    "remove": (),
    "replace": ("value",),
    "move": ("from",),
    "copy": ("from",),
    "test": ("value",),
}
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
#: Values that all ``copy`` operations of one patch may make.
MAX_COPIED = 100_000
#: Values that all operations of one patch may put somewhere.
MAX_PLACED = 1_000_000
#: Operations of one patch.
MAX_OPERATIONS = 10_000

Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, its pointers read."""

    op: str
    path: Pointer
    text: str
    value: Any = None
    origin: Pointer = ()


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """A patch document that was read and found well-formed."""

    operations: tuple[Operation, ...]

    @classmethod
    def read(cls, data: bytes, limits: Limits) -> "JsonPatch":
        """Read a document.

        :raises Invalid: not a list of operations; all problems at once.
        """
        return cls.of(json.decode(data, limits))

    @classmethod
    def of(cls, document: Any) -> "JsonPatch":
        """Take a parsed document."""
        if not isinstance(document, list):
            raise Invalid("a JSON Patch is a list of operations")
        if len(document) > MAX_OPERATIONS:
            raise Invalid(f"more than {MAX_OPERATIONS} operations")
        issues: list[Issue] = []
        found = []
        for number, item in enumerate(document):
            try:
                found.append(_operation(item))
            except ValueError as problem:
                issues.append(Issue("invalid", f"operation {number}: {problem}"))
        if issues:
            raise Invalid(issues)
        return cls(tuple(found))

    def apply(self, resource: Any) -> Any:
        """Change the resource in place and give it back.

        :raises Refused: an operation does not fit, or a test fails.
        """
        run = _Run(resource)
        for number, operation in enumerate(self.operations):
            try:
                _APPLY[operation.op](run, operation)
            except LookupError as problem:
                raise Refused(
                    [
                        Issue(
                            "processing",
                            f"operation {number}, {operation.op} {operation.text!r}:"
                            f" {problem.args[0]}",
                        )
                    ]
                ) from None
        return run.finish()


def _operation(item: Any) -> Operation:
    if not isinstance(item, dict):
        raise ValueError("is not an object")
    op = item.get("op")
    if not isinstance(op, str) or op not in _NEEDS:
        raise ValueError(f"op is one of {', '.join(_NEEDS)}")
    for name in ("path", *_NEEDS[op]):
        if name not in item:
            raise ValueError(f"{op} needs {name!r}")
    origin = _pointer(item["from"]) if "from" in _NEEDS[op] else ()
    path = _pointer(item["path"])
    if op == "move" and path[: len(origin)] == origin and path != origin:
        raise ValueError("cannot move a value into itself")
    return Operation(op, path, item["path"], item.get("value"), origin)


def _pointer(text: Any) -> Pointer:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise ValueError("a JSON Pointer is empty or begins with '/'")
    if re.search(r"~(?![01])", text):
        raise ValueError("in a JSON Pointer '~' is written '~0'")
    parts = text.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


class _Run:
    """One application of a patch to one document."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._emptied: list[Any] = []
        self._copied = 0
        self._placed = 0

    def get(self, pointer: Pointer) -> Any:
        value = self.document
        for part in pointer:
            value = _member(value, part)
        return value

    def _place(self, pointer: Pointer, value: Any) -> None:
        """Refuse what would stand too deep, and work without end."""
        size, depth = measure(value)
        self._placed += size
        if self._placed > MAX_PLACED:
            raise LookupError("the patch is too much work")
        if len(pointer) + depth > MAX_DEPTH:
            raise LookupError(f"nests deeper than {MAX_DEPTH} levels")

    def add(self, pointer: Pointer, value: Any) -> None:
        self._place(pointer, value)
        if not pointer:
            self.document = value
            return
        holder, last = self.get(pointer[:-1]), pointer[-1]
        if isinstance(holder, dict):
            holder[last] = value
        elif isinstance(holder, list):
            place = len(holder) if last == "-" else _index(last, len(holder) + 1)
            holder.insert(place, value)
        else:
            raise LookupError("there is nothing to add to")

    def replace(self, pointer: Pointer, value: Any) -> None:
        self.get(pointer)
        self._place(pointer, value)
        if not pointer:
            self.document = value
            return
        holder, last = self.get(pointer[:-1]), pointer[-1]
        holder[last if isinstance(holder, dict) else int(last)] = value

    def remove(self, pointer: Pointer) -> Any:
        if not pointer:
            raise LookupError("the whole resource cannot be removed")
        value = self.get(pointer)
        holder, last = self.get(pointer[:-1]), pointer[-1]
        del holder[last if isinstance(holder, dict) else int(last)]
        if not holder:
            self._emptied.append(holder)
        return value

    def copied(self, value: Any) -> Any:
        self._copied += measure(value)[0]
        if self._copied > MAX_COPIED:
            raise LookupError("the patch copies too much")
        return deepcopy(value)

    def finish(self) -> Any:
        """Remove what removals have left empty."""
        emptied = {id(holder) for holder in self._emptied if not holder}
        if emptied:
            _prune(self.document, emptied)
        return self.document


def _member(holder: Any, part: str) -> Any:
    if isinstance(holder, dict) and part in holder:
        return holder[part]
    if isinstance(holder, list):
        return holder[_index(part, len(holder))]
    raise LookupError(f"there is no {part!r}")


def _index(text: str, length: int) -> int:
    if not _INDEX.fullmatch(text):
        raise LookupError(f"{text!r} is not an index of a list")
    if int(text) >= length:
        raise LookupError(f"the list is shorter than {int(text)}")
    return int(text)


def _prune(value: Any, emptied: set[int]) -> None:
    """Take emptied lists and objects out, and what holds nothing else."""
    if not isinstance(value, dict | list):
        return
    length = len(value)
    if isinstance(value, dict):
        for key, child in list(value.items()):
            _prune(child, emptied)
            if id(child) in emptied:
                del value[key]
    else:
        for child in value:
            _prune(child, emptied)
        value[:] = [child for child in value if id(child) not in emptied]
    if length and not value:
        emptied.add(id(value))


def _equal(one: Any, other: Any) -> bool:
    """Compare as JSON does: numbers by value, and ``true`` is not ``1``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _equal(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _test(run: _Run, operation: Operation) -> None:
    if not _equal(run.get(operation.path), operation.value):
        raise LookupError("the value is another one")


def _remove(run: _Run, operation: Operation) -> None:
    run.remove(operation.path)


_APPLY: dict[str, Callable[[_Run, Operation], None]] = {
    "add": lambda run, o: run.add(o.path, deepcopy(o.value)),
    "remove": _remove,
    "replace": lambda run, o: run.replace(o.path, deepcopy(o.value)),
    "move": lambda run, o: run.add(o.path, run.remove(o.origin)),
    "copy": lambda run, o: run.add(o.path, run.copied(run.get(o.origin))),
    "test": _test,
}
