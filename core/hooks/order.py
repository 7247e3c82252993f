"""Who is asked first: phases, then the names that plugins give, then the alphabet.

The order in which plugins are configured or installed has no meaning.
"""

import heapq
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import get_args

from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.markers import Order, Phase

PHASES: tuple[Phase, ...] = get_args(Phase)


def arranged(hook: str, orders: Mapping[str, Order]) -> list[str]:
    """Put the plugins that implement a hook in order.

    :param orders: by plugin name, what its implementation asks for.
    :raises PluginError: a cycle, an unknown phase, or names that go against phases.
    """
    predecessors = _predecessors(orders)
    problems = _contradictions(hook, orders, predecessors)
    if problems:
        raise PluginError(problems)
    names = []
    for phase in PHASES:
        members = {name for name, order in orders.items() if order.phase == phase}
        names += _sorted(hook, {name: predecessors[name] & members for name in members})
    return names


def _predecessors(orders: Mapping[str, Order]) -> dict[str, set[str]]:
    predecessors = {
        name: set(order.after) & set(orders) for name, order in orders.items()
    }
    for name, order in orders.items():
        for later in set(order.before) & set(orders):
            predecessors[later].add(name)
    return predecessors


def _contradictions(
    hook: str, orders: Mapping[str, Order], predecessors: Mapping[str, set[str]]
) -> list[str]:
    problems = [
        f"plugin {name}: {hook}: no such phase: {order.phase!r}; one of {', '.join(PHASES)}"
        for name, order in sorted(orders.items())
        if order.phase not in PHASES
    ]
    if problems:
        return problems
    rank = {name: PHASES.index(order.phase) for name, order in orders.items()}
    return [
        f"{hook}: {first} is to be asked before {name}, but its phase"
        f" ({orders[first].phase}) comes after {orders[name].phase}"
        for name in sorted(orders)
        for first in sorted(predecessors[name])
        if rank[first] > rank[name]
    ]


def _sorted(hook: str, predecessors: Mapping[str, set[str]]) -> list[str]:
    sorter = TopologicalSorter(predecessors)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " before ".join(error.args[1])
        raise PluginError([f"{hook}: plugins wait for each other: {circle}"]) from None
    names: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, name)
        names.append(heapq.heappop(ready))
        sorter.done(names[-1])
    return names
