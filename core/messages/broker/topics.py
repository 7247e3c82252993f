"""Topic names, filters, and which messages a filter asks for.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html#_Toc3901241
"""

import re
from functools import lru_cache


def is_name(topic: str) -> bool:
    """Whether a message may be published to this."""
    return bool(topic) and "+" not in topic and "#" not in topic


def is_filter(wanted: str) -> bool:
    """Whether this may be subscribed to."""
    levels = wanted.split("/")
    return (
        bool(wanted)
        and "#" not in "".join(levels[:-1])
        and all(
            level in ("+", "#") or not ("+" in level or "#" in level)
            for level in levels
        )
    )


@lru_cache(maxsize=4096)
def _compiled(wanted: str) -> re.Pattern[str]:
    levels = wanted.split("/")
    rest = levels[-1] == "#"
    written = "/".join(
        "[^/]*" if level == "+" else re.escape(level)
        for level in (levels[:-1] if rest else levels)
    )
    if rest:
        written = f"{written}(/.*)?" if len(levels) > 1 else ".*"
    return re.compile(written, re.DOTALL)


def matches(wanted: str, topic: str) -> bool:
    """Whether a filter asks for a topic; wildcards do not reach the broker's own."""
    if topic.startswith("$") and wanted[0] in "+#":
        return False
    return _compiled(wanted).fullmatch(topic) is not None
