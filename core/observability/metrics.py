"""Numbers for Prometheus: requests and failures of all processes, lag of consumers.

Several worker processes of one ``fyr serve`` share a folder of small files, so that
each of them answers ``/metrics`` with the sums of all, dead ones included:
https://prometheus.github.io/client_python/multiprocess/. What the database knows
(lag, dead letters) is asked when somebody scrapes, and is the same everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from fyr.core.errors import FyrError

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram
    from prometheus_client.core import Metric

log = structlog.get_logger("fyr.metrics")

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds; a read takes a fraction of a millisecond, a large bundle seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as it stands now: ``fyr_consumer_lag{consumer="search"} 3``."""

    name: str
    documentation: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    #: whether it only grows: a counter, told with ``_total`` at the end of its name
    grows: bool = False


#: Asked at each scrape; gives what is true for the whole deployment.
Source = Callable[[], Iterable[Reading]]


def share_between_processes(folder: Path) -> None:
    """Let the processes that are forked from now on count together in ``folder``.

    To be called before anything makes :class:`Metrics`; forgets earlier numbers.

    :raises RuntimeError: it is too late, prometheus_client is imported already.
    """
    if "prometheus_client.values" in sys.modules:
        raise RuntimeError("prometheus_client was imported before its folder was set")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink()
    os.environ[_FOLDER] = str(folder)
    # Read once here, its memory is common to all that are forked from this process.
    import_module("prometheus_client")


def forget_process(pid: int) -> None:
    """Leave a process that has died out of what is true at the moment."""
    if os.environ.get(_FOLDER):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """Counts requests, and writes the page that Prometheus scrapes."""

    def __init__(self) -> None:
        """Start at nothing, or go on in the folder that the processes share."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "fyr_http_request_duration_seconds",
            "Time to answer a request; its count is the number of requests.",
            ("service", "interaction", "type", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._searches = Histogram(
            "fyr_search_duration_seconds",
            "Time of searches in the engine, by kind; without writing the answer.",
            ("kind",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._failures = Counter(
            "fyr_plugin_failures",
            "Failures of plugins, by hook; refusals are none.",
            ("plugin", "hook"),
            registry=self._registry,
        )
        self._slow_calls = Counter(
            "fyr_plugin_slow_calls",
            "Calls of plugins that took longer than plugins.slow_hook_seconds.",
            ("plugin", "hook"),
            registry=self._registry,
        )
        self._listening = Gauge(
            "fyr_stream_clients",
            "Clients that listen to streams at the moment.",
            ("path",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._ended = Counter(
            "fyr_streams_ended",
            "Streams that ended, and why: left, slow, stopped, refused, gone, failed.",
            ("path", "why"),
            registry=self._registry,
        )
        self._series: dict[tuple[str, str, str, int], Histogram] = {}
        self._sources: list[Source] = []

    def request(
        self,
        service: str,
        interaction: str,
        resource_type: str,
        status: int,
        seconds: float,
    ) -> None:
        """Count a request that has been answered.

        The first three must be names that the server knows, never a client's text:
        each new combination is kept for ever.
        """
        key = (service, interaction, resource_type, status)
        series = self._series.get(key)
        if series is None:
            series = self._requests.labels(*key)
            self._series[key] = series
        series.observe(seconds)

    def searched(self, kind: str, seconds: float) -> None:
        """Count a search; its kind is a word of the engine's, one of few."""
        self._searches.labels(kind).observe(seconds)

    def plugin_failed(self, plugin: str, hook: str) -> None:
        """Count a failure of a plugin in whichever process it was asked."""
        self._failures.labels(plugin, hook).inc()

    def plugin_slow(self, plugin: str, hook: str) -> None:
        """Count a call of a plugin that takes too long, while it does."""
        self._slow_calls.labels(plugin, hook).inc()

    def stream_begun(self, path: str) -> None:
        """Count a client that listens; the path is one of few."""
        self._listening.labels(path).inc()

    def stream_ended(self, path: str, why: str) -> None:
        """Count a client that does so no more."""
        self._listening.labels(path).dec()
        self._ended.labels(path, why).inc()

    def counter(
        self, name: str, documentation: str, labels: Sequence[str] = ()
    ) -> Counter:
        """Make a counter of a plugin's own, summed over all processes.

        :param name: begins with ``fyr_`` and the plugin's name; ``_total`` is added.
        :param labels: names whose values are few and never a client's text.
        """
        from prometheus_client import Counter

        return Counter(name, documentation, labels, registry=self._registry)

    def add_source(self, source: Source) -> None:
        """Have ``source`` asked at each scrape."""
        self._sources.append(source)

    def page(self) -> bytes:
        """Write all numbers in the text format of :data:`CONTENT_TYPE`."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        counted = self._registry
        if os.environ.get(_FOLDER):
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        told = CollectorRegistry()
        told.register(_Told(self._sources))
        return generate_latest(counted) + generate_latest(told)


class _Told:
    """What the sources say, in the form in which prometheus_client collects."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Tell nothing at registration, so that nobody is asked then."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Ask all sources; readings of one name become one metric."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        found: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for one in self._readings():
            names = [name for name, _ in one.labels]
            kind = CounterMetricFamily if one.grows else GaugeMetricFamily
            family = found.setdefault(
                one.name, kind(one.name, one.documentation, labels=names)
            )
            family.add_metric([value for _, value in one.labels], one.value)
        return found.values()

    def _readings(self) -> Iterable[Reading]:
        """Ask all; a source that is down is counted and hides no other number."""
        failed = 0
        for source in self._sources:
            try:
                yield from list(source())
            except FyrError as error:
                log.warning("a source of metrics is down", problem=str(error))
                failed += 1
        yield Reading(
            "fyr_metrics_sources_down", "Sources that could not be asked.", failed
        )
