"""The workflow engine: state machines as tables, histories, schedules, timers.

A machine says of one type which states there are, who may go from one to another, what
must hold and what comes of it. The core asks it on every way in; it knows no resource by
name. What is not in the table is refused and changes nothing.
"""

from fyr.core.workflow.keeping import History, Schedule
from fyr.core.workflow.machine import ANYBODY, Machine, Step, refuses
from fyr.core.workflow.machines import Machines
from fyr.core.workflow.schedules import Planned, planned
from fyr.core.workflow.timers import Fired, Timer, Timers
from fyr.core.workflow.transition import Transition

__all__ = [
    "ANYBODY",
    "Fired",
    "History",
    "Machine",
    "Machines",
    "Planned",
    "Schedule",
    "Step",
    "Timer",
    "Timers",
    "Transition",
    "planned",
    "refuses",
]
