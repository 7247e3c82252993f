"""A machine as an SVG drawing, laid out without help: states in rows from top to bottom.

A state stands in the row of its distance from the creation. What leads down is drawn
straight, what leads back or within a row bends around; a number leads to the words below.
Enough for the ten states that a FHIR type has; :mod:`.mermaid` is for those who have a
renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from fyr.core.workflow.machine import Machine, Step
from fyr.core.workflow.words import GONE, NEW, ends, label, moves

_WIDTH, _HEIGHT = 130, 34
_ACROSS, _DOWN = 230, 110
_MARGIN = 90
_LINE = 16
_STYLE = (
    "text{font:12px sans-serif;text-anchor:middle;fill:#1c2733}"
    ".state{fill:#eef4fa;stroke:#35607f}.edge{fill:none;stroke:#6b7c8c}"
    ".end{fill:#fff;stroke:#6b7c8c;stroke-dasharray:4}.dot{fill:#fff;stroke:#6b7c8c}"
    ".number{font-size:9px}.word{font-size:11px;text-anchor:start}"
)
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
    ' markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#6b7c8c"/></marker>'
)


@dataclass(frozen=True, slots=True)
class _Box:
    """A state: where its middle is, and the row that it stands in."""

    x: int
    y: int
    row: int


def svg(machine: Machine) -> str:
    """Draw the states of a machine and the rows that lead from one to another."""
    boxes = _placed(machine)
    pairs = _between(machine)
    width = max(box.x for box in boxes.values()) + _WIDTH // 2 + _MARGIN
    below = max(box.y for box in boxes.values()) + _HEIGHT + 60
    drawn = [_state(name, box) for name, box in boxes.items()]
    for number, ((start, end), steps) in enumerate(pairs.items(), 1):
        drawn.append(_edge(boxes[start], boxes[end], number))
        drawn.append(_word(f"{number}  {start} → {end}: {_said(steps)}", below, number))
    height = below + _LINE * (len(pairs) + 1)
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
            f' viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            f"<title>{escape(machine.name)}</title>",
            f"<style>{_STYLE}</style><defs>{_ARROW}</defs>",
            *drawn,
            "</svg>",
        ]
    )


def _said(steps: list[Step]) -> str:
    return " / ".join(label(one) for one in steps)


def _word(text: str, below: int, number: int) -> str:
    y = below + number * _LINE
    return f'<text class="word" x="20" y="{y}">{escape(text)}</text>'


def _between(machine: Machine) -> dict[tuple[str, str], list[Step]]:
    """Gather the rows of each pair of states: they are one arrow."""
    found: dict[tuple[str, str], list[Step]] = {}
    for step in moves(machine):
        found.setdefault(ends(step), []).append(step)
    return found


def _placed(machine: Machine) -> dict[str, _Box]:
    rows: list[list[str]] = [[NEW]]
    placed = {NEW}
    pairs = list(_between(machine))
    while True:
        here = set(rows[-1])
        following = [end for start, end in pairs if start in here and end not in placed]
        if not following:
            break
        rows.append(list(dict.fromkeys(following)))
        placed |= set(following)
    widest = max(len(row) for row in rows)
    return {
        state: _Box(
            _MARGIN + _WIDTH // 2 + int((number + (widest - len(row)) / 2) * _ACROSS),
            30 + depth * _DOWN,
            depth,
        )
        for depth, row in enumerate(rows)
        for number, state in enumerate(row)
    }


def _state(name: str, box: _Box) -> str:
    kind = "end" if name in (NEW, GONE) else "state"
    return (
        f'<rect class="{kind}" x="{box.x - _WIDTH // 2}" y="{box.y - _HEIGHT // 2}"'
        f' width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>'
        f'<text x="{box.x}" y="{box.y + 4}">{escape(name)}</text>'
    )


def _edge(a: _Box, b: _Box, number: int) -> str:
    """Draw an arrow with its number."""
    # Arrows that would lie on each other lie beside each other.
    aside, half = (number % 5 - 2) * 12, _HEIGHT // 2
    if b.row == a.row:
        x1, y1, x2, y2 = a.x + aside, a.y + half, b.x + aside, b.y + half
        x, y = (x1 + x2) // 2, y1 + 50
    else:
        down = 1 if b.row > a.row else -1
        x1, x2 = (box.x + aside + (0 if down == 1 else 25) for box in (a, b))
        y1, y2 = a.y + down * half, b.y - down * half
        bend = 0 if abs(b.row - a.row) == 1 else 90 * down
        x, y = (x1 + x2) // 2 + bend, (y1 + y2) // 2 + aside
    # On the curve, not on the point that bends it.
    dot_x, dot_y = (x1 + 2 * x + x2) // 4, (y1 + 2 * y + y2) // 4
    return (
        f'<path class="edge" d="M{x1} {y1} Q{x} {y} {x2} {y2}"'
        ' marker-end="url(#arrow)"/>'
        f'<circle class="dot" cx="{dot_x}" cy="{dot_y}" r="9"/>'
        f'<text class="number" x="{dot_x}" y="{dot_y + 3}">{number}</text>'
    )
