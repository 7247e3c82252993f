"""What all tests share: which real servers were not found, told in the last lines."""

import pytest

from fyr.core.testing.servers import ABSENT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = {
        str(report.longrepr[2])
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and ABSENT in report.longrepr[2]
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"Not all was tested. {reason}")
