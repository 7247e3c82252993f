"""Which MQTT topic a name such as ``ehealth-careplan.status`` is.

With ``fyr/events/{levels}`` it is ``fyr/events/ehealth-careplan/status``, so that
``fyr/events/ehealth-careplan/#`` is all of care plans and ``fyr/events/+/status`` all
changes of status: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901241
"""

from collections.abc import Collection
from functools import lru_cache


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
