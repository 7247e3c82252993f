"""What Prometheus is told, by one process and by several."""

import subprocess
import sys
from pathlib import Path

from fyr.core.errors import Unavailable
from fyr.core.observability.metrics import Metrics, Reading

_COUNT_ONE = """
import os, sys
from pathlib import Path
from fyr.core.errors import Unavailable
from fyr.core.observability.metrics import Metrics, share_between_processes

share_between_processes(Path(sys.argv[1]))
for number in range(3):
    pid = os.fork()
    if not pid:
        Metrics().request("fhir", "read", "Patient", 200, 0.004)
        os._exit(0)
    os.waitpid(pid, 0)
print(Metrics().page().decode())
"""


def test_requests_are_counted_by_what_they_asked_for() -> None:
    metrics = Metrics()

    metrics.request("fhir", "read", "Patient", 200, 0.004)
    metrics.request("fhir", "read", "Patient", 200, 0.004)

    labels = 'interaction="read",service="fhir",status="200",type="Patient"'
    page = metrics.page().decode()
    assert f"fyr_http_request_duration_seconds_count{{{labels}}} 2.0" in page
    assert 'seconds_bucket{interaction="read",le="0.005",service="fhir"' in page


def test_each_server_in_a_process_counts_its_own() -> None:
    one, other = Metrics(), Metrics()

    one.request("fhir", "read", "Patient", 200, 0.004)

    assert "Patient" not in other.page().decode()


def test_sources_are_asked_at_each_scrape() -> None:
    metrics = Metrics()
    lags = [3, 4]
    metrics.add_source(
        lambda: [
            Reading("fyr_lag", "Events behind.", lags.pop(0), (("consumer", "a"),)),
            Reading("fyr_lag", "Events behind.", 0, (("consumer", "b"),)),
        ]
    )

    assert 'fyr_lag{consumer="a"} 3.0' in metrics.page().decode()
    assert 'fyr_lag{consumer="a"} 4.0' in metrics.page().decode()


def test_a_source_that_is_down_hides_no_other_number() -> None:
    def down() -> list[Reading]:
        raise Unavailable("no database")

    metrics = Metrics()
    metrics.add_source(down)
    metrics.add_source(lambda: [Reading("fyr_up", "Here.", 1)])

    page = metrics.page().decode()
    assert "fyr_up 1.0" in page
    assert "fyr_metrics_sources_down 1.0" in page


def test_forked_workers_are_summed_whoever_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COUNT_ONE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    line = next(line for line in done.stdout.splitlines() if "_count{" in line)
    assert line.endswith(" 3.0")


def test_failures_of_plugins_are_counted_by_hook() -> None:
    metrics = Metrics()

    metrics.plugin_failed("greeter", "deliver")

    line = 'fyr_plugin_failures_total{hook="deliver",plugin="greeter"} 1.0'
    assert line in metrics.page().decode()
