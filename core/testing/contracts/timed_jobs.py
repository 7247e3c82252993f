"""What jobs that run every so often promise; a part of what all jobs do."""

from typing import Any

import pytest

from fyr.core.jobs import Job, JobContext
from fyr.core.store.port import Database
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import Deployment


class Runner:
    """A job that remembers its runs, and does what a test says."""

    def __init__(self) -> None:
        """Begin without a run."""
        self.runs: list[JobContext] = []
        self.does: Any = lambda context: None

    def run(self, context: JobContext) -> Any:
        """Run as the test says."""
        self.runs.append(context)
        return self.does(context)

    def job(self, every: float | None = None) -> Job:
        """Make the job; three attempts."""
        return Job("count", self.run, every=every, attempts=3)


class TimedJobsContract:
    """Tests to inherit, by :class:`~fyr.core.testing.contracts.jobs.JobsContract`."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    @pytest.fixture
    def runner(self) -> Runner:
        """Give a job to look at."""
        return Runner()

    def test_a_timed_job_runs_once_for_all_the_times_that_were_missed(
        self, database: Database, clock: FakeClock, runner: Runner
    ) -> None:
        fyr = Deployment(database, clock, jobs=[runner.job(every=60)])
        started = clock.now
        fyr.worker.drain()
        clock.advance(seconds=59)
        assert fyr.worker.drain() == 0
        clock.advance(seconds=150)
        fyr.worker.drain()
        fyr.worker.drain()
        clock.advance(seconds=31)
        fyr.worker.drain()

        seconds = [(run.scheduled - started).total_seconds() for run in runner.runs]
        assert seconds == [0, 60, 240]

    def test_a_timed_job_that_fails_runs_at_its_next_time(
        self, database: Database, clock: FakeClock, runner: Runner
    ) -> None:
        def bad(context: JobContext) -> None:
            raise ValueError("bad")

        runner.does = bad
        fyr = Deployment(database, clock, jobs=[runner.job(every=3600)])
        for _ in range(4):
            fyr.worker.drain()
            clock.advance(seconds=60)
        assert [run.attempt for run in runner.runs] == [1, 2, 3]

        clock.advance(seconds=3600)
        runner.does = lambda context: None
        fyr.worker.drain()
        (state,) = fyr.jobs.states("count")
        assert (state.state, state.error) == ("waiting", "")

    def test_a_timed_job_that_shall_run_more_often_does(
        self, database: Database, clock: FakeClock, runner: Runner
    ) -> None:
        Deployment(database, clock, jobs=[runner.job(every=3600)]).worker.drain()
        fyr = Deployment(database, clock, jobs=[runner.job(every=60)])
        clock.advance(seconds=60)

        assert fyr.worker.drain() == 1
