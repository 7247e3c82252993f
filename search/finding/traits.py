"""What can be told of a criterion before it is SQL: whether to begin from it, and how."""

from fyr.search.tree import (
    All,
    AnyOf,
    Criterion,
    Has,
    HasId,
    Is,
    Match,
    Missing,
    Not,
    OfType,
    SameRow,
    Target,
    Token,
    Updated,
    Uri,
    one_row,
)


def needs_row(criterion: Criterion) -> bool:
    """Whether the condition asks for more of a row of ``resource`` than its pid."""
    match criterion:
        case HasId() | Is() | OfType() | Updated() | Has():
            return True
        case All(parts) | AnyOf(parts):
            return any(map(needs_row, parts))
        case Not(part):
            return needs_row(part)
        case _:
            return False


def is_set(criterion: Criterion) -> bool:
    """Whether what meets a criterion can be told by its values, to begin from."""
    match criterion:
        case Match():
            return not criterion.negated
        case AnyOf(parts):
            return bool(parts) and all(map(is_set, parts))
        case All(parts):
            return any(map(is_set, parts))
        case _:
            return not isinstance(criterion, Missing | Not)


def one_each(criterion: Criterion) -> bool:
    """Whether the set of a criterion has each resource once by itself."""
    match criterion:
        case SameRow():
            return True
        case Match(sources, operands):
            alone = len(sources) == 1 and len(operands) == 1 and _exact(operands[0])
            return alone or one_row(sources)
        case _:
            return False


def in_turn(criterion: Criterion) -> bool:
    """Whether an index has the set of a criterion in the order of pids."""
    match criterion:
        case Match((_,), (Token(_, code),), negated=False):
            return code is not None
        case _:
            return False


def _exact(operand: object) -> bool:
    """Whether an operand is all that rows of one source are told apart by."""
    match operand:
        case Token(system, code):
            return system is not None and code is not None
        case Target(type):
            return type is not None
        case _:
            return isinstance(operand, Uri)
