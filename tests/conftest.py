"""What all tests share: how servers that were not found are told, and how they log."""

import signal
from pathlib import Path

import pytest
from httpx._config import DEFAULT_LIMITS, DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

from fyr.core.testing.servers import ABSENT

#: Several workers take one file after the other (tox.ini): what may take minutes comes
#: first, and what takes a moment at the end, so that no worker is the last for long.
_TURNS = ("journeys", "services", "contract", "attacks", "api", "unit")
_HERE = Path(__file__).parent

# A machine that others use as well is slow now and then: time is looked at by benches.
settings.register_profile(
    "fyr", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fyr")
# Who says nothing else waits five seconds, which a busy machine may take for an answer.
for _wait in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _wait, 60.0)
# One thread closes what has not been used for five seconds, though another one, which the
# machine keeps waiting, has just been given it.
DEFAULT_LIMITS.keepalive_expiry = None

# What a shell starts in the background ignores it, as would the commands that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.path))


def _turn(path: Path) -> int:
    folder = path.parts[len(_HERE.parts)]
    return _TURNS.index(folder) if folder in _TURNS else len(_TURNS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = {
        str(report.longrepr[2])
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and ABSENT in report.longrepr[2]
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"Not all was tested. {reason}")


@pytest.fixture(autouse=True)
def _log_as_tests_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep commands that run in this process from setting up its log.

    Loggers remember their first set-up, which is that of a captured standard error.
    """
    monkeypatch.setattr("fyr.core.cli.options.configure_logging", lambda settings: None)
