"""Value sets that were decided before, kept until a ValueSet or CodeSystem changes.

Each process keeps its own, and asks the store each time when one was changed last, which an
index tells at once. A transaction stamps what it stores before it commits, so nothing is
kept as long as one that was stamped lately may still be under way.
"""

from collections.abc import Callable, Iterable
from threading import Lock

from fyr.core.store.port import Session
from fyr.search.terms.code_sets import size
from fyr.search.terms.deciding import Decided

#: How long a transaction that stores a ValueSet may last, in milliseconds.
SETTLED = 60_000
#: Codes of all that is kept; beyond it, it begins anew.
MOST_KEPT = 200_000
_CHANGED = """
    SELECT (SELECT MAX(updated) FROM resource WHERE type = 'ValueSet'),
        (SELECT MAX(updated) FROM resource WHERE type = 'CodeSystem')
"""
#: Decides those of some addresses that are not kept.
Deciding = Callable[[list[str]], dict[str, Decided]]
_Changed = tuple[int, int]


class KeptValueSets:
    """What was decided, by who asks and address; safe between threads."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = Lock()
        self._changed: _Changed = (0, 0)
        self._kept: dict[tuple[str, str], Decided] = {}
        self._size = 0

    def of(
        self,
        session: Session,
        asker: str,
        addresses: Iterable[str],
        decide: Deciding,
        now: int,
    ) -> dict[str, Decided]:
        """Tell the codes of value sets.

        :param asker: whom addresses mean the same as for others of this name.
        :param now: milliseconds since 1970, UTC.
        """
        wanted = list(addresses)
        changed = _last_changed(session)
        with self._lock:
            same = changed == self._changed
            found = {
                one: self._kept[asker, one]
                for one in wanted
                if same and (asker, one) in self._kept
            }
        missing = [one for one in wanted if one not in found]
        if missing:
            fresh = decide(missing)
            if now - max(changed) > SETTLED:
                self._keep(changed, asker, fresh)
            found |= fresh
        return found

    def _keep(self, changed: _Changed, asker: str, fresh: dict[str, Decided]) -> None:
        with self._lock:
            if changed != self._changed or self._size > MOST_KEPT:
                self._changed, self._kept, self._size = changed, {}, 0
            for address, one in fresh.items():
                # What a resource contains is another one's under the same name.
                if one.lasts and not address.startswith("#"):
                    self._kept[asker, address] = one
                    self._size += 1 + size(one.least) + size(one.most)


def _last_changed(session: Session) -> _Changed:
    ((value_sets, code_systems),) = session.rows(_CHANGED)
    return value_sets or 0, code_systems or 0
