"""Which MQTT topic a name such as ``ehealth-careplan.status`` is.

With ``fyr/events/{levels}`` it is ``fyr/events/ehealth-careplan/status``, so that
``fyr/events/ehealth-careplan/#`` is all of care plans and ``fyr/events/+/status`` all
changes of status: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901241
"""

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache

#: What clients may bring who know the topics of the broker, and names have not.
_OF_MQTT = re.compile(r"[#+*]")
_NEAR = 3


class Topics:
    """Writes names into a scheme, the setting ``messages.topic``."""

    def __init__(self, scheme: str) -> None:
        """Take the scheme; ``{levels}`` is the name by levels, ``{name}`` as it is."""
        self._scheme = scheme
        self.of = lru_cache(maxsize=1024)(self._of)

    def _of(self, name: str) -> str:
        """Give the MQTT topic of a name."""
        levels = name.replace(".", "/")
        return self._scheme.replace("{levels}", levels).replace("{name}", name)


def is_wanted(name: str, wanted: Collection[str]) -> bool:
    """Whether a name is among those that are wanted; ``ehealth-task.*`` is all below.

    :param wanted: none of them are all.
    """
    return not wanted or any(
        name == one or (one.endswith("*") and name.startswith(one[:-1]))
        for one in wanted
    )


def unknown(wanted: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """Say of each topic that is none of the names, nor the beginning of any, what is near.

    :param names: all that there are; none are not known, and all is taken then.
    """
    for one in sorted(wanted):
        if names and not any(is_wanted(name, (one,)) for name in names):
            hint = "a name, or its beginning with *"
            if near := _near(one, names):
                hint += f", such as {', '.join(near)}"
            yield f"nothing is told of the topic {one[:80]!r}: give {hint}"


def _near(asked: str, names: Collection[str]) -> list[str]:
    """Tell the names that were meant, perhaps: the nearest ones first."""
    levels = [level for level in re.split("[/.]", _OF_MQTT.sub("", asked)) if level]
    # What the scheme of topics has in front is left out, a level at a time.
    for start in range(len(levels)):
        text = ".".join(levels[start:]).lower()
        below = sorted(name for name in names if text in name.lower())
        folded = {name.lower(): name for name in names}
        close = [folded[one] for one in get_close_matches(text, folded, n=_NEAR)]
        if found := [*dict.fromkeys((*below, *close))]:
            return found[:_NEAR]
    return []
