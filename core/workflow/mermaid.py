"""A machine as a Mermaid state diagram: https://mermaid.js.org/syntax/stateDiagram.html."""

from __future__ import annotations

import re

from fyr.core.workflow.machine import Machine
from fyr.core.workflow.words import label

_BEGIN_AND_END = "[*]"


def mermaid(machine: Machine) -> str:
    """Write a machine's states and rows; a row that stays in its state is drawn too."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state}" as {_id(state)}' for state in machine.states]
    for step in machine.steps:
        start, end = (
            _BEGIN_AND_END if state is None else _id(state)
            for state in (step.start, step.end)
        )
        lines.append(f"    {start} --> {end} : {_text(label(step))}")
    return "\n".join(lines)


def _id(state: str) -> str:
    """Make a name that Mermaid takes; ``end`` and the like are words of its own."""
    return "s_" + re.sub(r"\W", "_", state)


def _text(text: str) -> str:
    """Leave out what has a meaning in a label."""
    return re.sub(r"[:;#]", " ", text)
