"""The index tables, declared once: the store writes them, ``fyr.search`` fills and asks."""

#: Table -> columns after ``pid``. ``param`` is ``param_id("Patient", "name")``; systems
#: are hashed (``hash64``), because they are only ever compared; texts are folded by search.
#: No value is ``None`` (what is absent is 0 or an empty text), no row is there twice.
INDEX_TABLES: dict[str, tuple[str, ...]] = {
    "idx_token": ("param", "code", "system"),
    "idx_string": ("param", "folded", "original"),
    "idx_reference": ("param", "target_id", "target_type"),
    "idx_date": ("param", "low", "high"),
    "idx_number": ("param", "low", "high"),
    "idx_quantity": ("param", "low", "high", "code", "system"),
    "idx_uri": ("param", "value"),
    "idx_composite": ("param", "code", "system", "code2", "system2", "low", "high"),
    "idx_position": ("param", "x", "y", "z"),
}

#: Key of ``IndexRows`` for what resources inside the resource are found by: their seat (0
#: for the first), the table, and the row as that table has it.
CONTAINED = "contained"
#: Bits of a pid that tell the seat.
_BITS = 20
#: Resources inside of one that can be told apart.
SEATS = 1 << _BITS


def pid_within(pid: int, seat: int) -> int:
    """Give the number that a resource inside another one is found by, below 0.

    It tells the pid of the container (:func:`container_sql`), so that nothing else has
    to be kept of a resource that is stored as a part of another one.
    """
    return -((pid << _BITS) | seat)


def pids_within(pid: int) -> tuple[int, int]:
    """Give the least and the greatest number that something inside a resource can have."""
    return pid_within(pid, SEATS - 1), pid_within(pid, 0)


def seat_of(number: int) -> int:
    """Tell the seat of a resource inside of another one, by its number."""
    return -number & (SEATS - 1)


def container_of(pid: int) -> int:
    """Tell the pid of the resource that something is inside of."""
    return -pid >> _BITS


def container_sql(column: str) -> str:
    """Tell, in SQL, the pid of the resource that something is inside of."""
    return f"((-{column}) >> {_BITS})"


def is_within_sql(column: str, pid: str) -> str:
    """Say, in SQL, that a number is that of something inside of a resource.

    So that an index on the number can be asked.
    """
    low = f"-(({pid} << {_BITS}) | {SEATS - 1})"
    return f"{column} >= {low} AND {column} <= -({pid} << {_BITS})"
