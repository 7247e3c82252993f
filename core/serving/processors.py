"""Which processor a worker runs on: https://docs.python.org/3/library/os.html#os.sched_setaffinity.

The threads of a Python process take turns. On one processor a turn is handed over for
next to nothing; between two of them it costs more than a read of a resource does.
"""

import os


def stay_on_one_processor(number: int) -> None:
    """Keep this process, all its threads, on one of the processors that it may use.

    Siblings with other numbers get other ones, as long as there are; different servers
    on one machine begin at different ones. Does nothing where the system has no such
    call.

    :param number: place among the siblings, from 0.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[(os.getppid() + number) % len(processors)]})
