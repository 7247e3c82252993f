"""What all tests share: which real servers were not found, told in the last lines."""

import pytest

from fyr.core.testing.servers import MISSING


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, why in sorted(MISSING.items()):
        terminalreporter.write_line(f"Not found, its tests were skipped: {name}: {why}")
