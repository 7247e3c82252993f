"""What plugins share that tell of changes: paths, conditions, absolute URLs, wishes.

A plugin has a table of what it tells as what; here is what such tables are read with, and
by which CommunicationRequests people say what they wish to be told.
"""

from fyr.core.telling.conditions import CONDITIONS, Condition, condition
from fyr.core.telling.paths import (
    DEFINITIONS,
    Path,
    first_patient,
    profiles_of,
    referred,
)
from fyr.core.telling.urls import Absolute, absolute_by

#: Topic of the outbox for what no change of a resource tells of itself: operations and
#: jobs say it by ``Outbox.emit``, with the resource as its subject, and with ``topic`` and
#: ``event`` as the table of event messages has them (docs/events.md).
TOLD = "event_messages.told"

__all__ = [
    "CONDITIONS",
    "DEFINITIONS",
    "TOLD",
    "Absolute",
    "Condition",
    "Path",
    "absolute_by",
    "condition",
    "first_patient",
    "profiles_of",
    "referred",
]
