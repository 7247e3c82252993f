"""A process that serves some of the services of the story, until its input ends.

Environment variables say which and where; the first argument is the configuration, the
second the file of the clock that all parts have in common.
"""

import sys
from pathlib import Path

from fyr.config.load import load
from fyr.plugins.demo.clock import SharedClock
from fyr.plugins.demo.stage import playing

if __name__ == "__main__":
    configuration, clock = map(Path, sys.argv[1:])
    with playing(load(configuration), SharedClock(clock)):
        print("ready", flush=True)
        sys.stdin.read()
