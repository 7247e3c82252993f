"""What durable jobs and timers promise on every database.

Inherit :class:`JobsContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

import threading
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from fyr.core.errors import NotFound, Unavailable
from fyr.core.jobs import Interrupted, JobContext, JobState
from fyr.core.store.port import Database, Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.listening import SETTINGS, Deployment
from fyr.core.testing.contracts.threads import at_once
from fyr.core.testing.contracts.timed_jobs import Runner, TimedJobsContract


class JobsContract(TimedJobsContract):
    """Tests to inherit."""

    @pytest.fixture
    def fyr(self, database: Database, clock: FakeClock, runner: Runner) -> Deployment:
        """Give a process that knows the job."""
        return Deployment(database, clock, jobs=[runner.job()])

    def test_a_submitted_job_runs_once_with_its_arguments(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        runner.does = lambda context: {"sum": sum(context.arguments["of"])}
        job_id = _submit(fyr, {"of": [1, 2], "name": "Åse"})
        fyr.worker.drain()
        fyr.worker.drain()

        assert [run.arguments["name"] for run in runner.runs] == ["Åse"]
        state = fyr.jobs.state(job_id)
        assert (state.state, state.result, state.progress) == ("done", '{"sum": 3}', 1)

    def test_a_job_of_a_transaction_that_is_rolled_back_never_runs(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        def refused(session: Session) -> None:
            fyr.jobs.submit(session, "count")
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            fyr.database.write(refused)
        fyr.worker.drain()

        assert runner.runs == []

    def test_a_timer_fires_at_its_time_and_also_after_it(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        due = clock.now + timedelta(hours=1)
        fyr.database.write(lambda s: fyr.jobs.submit(s, "count", at=due))
        clock.advance(minutes=59)
        assert fyr.worker.drain() == 0

        clock.advance(days=3)
        restarted = Deployment(fyr.database, clock, jobs=[runner.job()])
        restarted.worker.drain()
        assert [run.scheduled for run in runner.runs] == [due]

    def test_one_subject_has_one_job_at_a_time(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        first = _submit(fyr, subject="Patient/1")
        again = _submit(fyr, subject="Patient/1")
        other = _submit(fyr, subject="Patient/2")
        assert again == first != other

        fyr.worker.drain()
        assert len(runner.runs) == 2
        assert _submit(fyr, subject="Patient/1") != first

    def test_a_job_is_found_by_its_subject(self, fyr: Deployment) -> None:
        job_id = _submit(fyr, subject="Patient/1")

        found = fyr.database.read(lambda s: fyr.jobs.find(s, "count", "Patient/1"))
        assert found == job_id
        assert fyr.database.read(lambda s: fyr.jobs.find(s, "count", "x")) is None

    def test_a_job_that_fails_is_run_again_after_a_wait(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        runner.does = _fail_first
        job_id = _submit(fyr)
        fyr.worker.drain()
        assert fyr.jobs.state(job_id).error == "ValueError: bad"
        assert fyr.worker.drain() == 0

        clock.advance(seconds=1)
        fyr.worker.drain()
        assert [run.attempt for run in runner.runs] == [1, 2]
        assert fyr.jobs.state(job_id).state == "done"

    @pytest.mark.parametrize(
        ("error", "traced"), [(Unavailable("away"), False), (ValueError("bad"), True)]
    )
    def test_a_job_whose_others_are_away_is_logged_without_a_trace(
        self, fyr: Deployment, runner: Runner, error: Exception, traced: bool
    ) -> None:
        def bad(context: JobContext) -> None:
            raise error

        runner.does = bad
        _submit(fyr)
        with capture_logs() as lines:
            fyr.worker.drain()

        (line,) = [one for one in lines if one["event"] == "job failed"]
        assert line["error"] == f"{type(error).__name__}: {error}"
        assert (line["exc_info"] is error) == traced

    def test_a_job_fails_with_a_text_that_no_database_takes(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        def bad(context: JobContext) -> None:
            raise ValueError("a\x00b\nc \ud800")

        runner.does = bad
        job_id = _submit(fyr)
        fyr.worker.drain()

        assert fyr.jobs.state(job_id).error == "ValueError: a b c ?"

    def test_a_job_that_fails_too_often_has_failed(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        def bad(context: JobContext) -> None:
            raise ValueError("bad")

        runner.does = bad
        job_id = _submit(fyr)
        for _ in range(5):
            fyr.worker.drain()
            clock.advance(seconds=60)

        assert len(runner.runs) == 3
        state = fyr.jobs.state(job_id)
        assert (state.state, state.error) == ("failed", "ValueError: bad")

    def test_a_job_whose_worker_died_is_run_again(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        job_id = _submit(fyr)
        assert len(fyr.runs.claim(9, threading.Event())) == 1
        other = Deployment(fyr.database, clock, jobs=[runner.job()])
        assert other.worker.drain() == 0

        clock.advance(seconds=SETTINGS.lease_seconds)
        other.worker.drain()
        assert [run.attempt for run in runner.runs] == [2]
        assert other.jobs.state(job_id).state == "done"

    def test_a_job_that_kills_each_worker_has_failed(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        job_id = _submit(fyr)
        for _ in range(3):
            fyr.runs.claim(9, threading.Event())
            clock.advance(seconds=SETTINGS.lease_seconds)
        fyr.worker.drain()

        assert runner.runs == []
        assert fyr.jobs.state(job_id).state == "failed"

    def test_a_worker_that_lost_a_job_ends_nothing(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        job_id = _submit(fyr)
        (stale,) = fyr.runs.claim(9, threading.Event())
        clock.advance(seconds=SETTINGS.lease_seconds)
        (fresh,) = fyr.runs.claim(9, threading.Event())
        fyr.runs.run(stale)
        assert fyr.jobs.state(job_id).state == "running"

        fyr.runs.run(fresh)
        assert fyr.jobs.state(job_id).state == "done"

    def test_a_job_that_is_renewed_stays_where_it_is(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        _submit(fyr)
        (context,) = fyr.runs.claim(9, threading.Event())
        for _ in range(3):
            clock.advance(seconds=SETTINGS.lease_seconds / 2)
            fyr.runs.renew()

        assert fyr.runs.claim(9, threading.Event()) == []
        assert not context.lost.is_set()

    def test_an_effect_in_the_transaction_of_the_end_happens_once(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        def effect(context: JobContext) -> None:
            def work(session: Session) -> None:
                fyr.outbox.emit(session, "effect", context.attempt)
                context.finish(session, "kept")

            context.database.write(work)

        runner.does = effect
        job_id = _submit(fyr)
        (stale,) = fyr.runs.claim(9, threading.Event())
        clock.advance(seconds=SETTINGS.lease_seconds)
        fyr.worker.drain()
        fyr.runs.run(stale)

        assert len(runner.runs) == 2
        assert [change.payload for change in fyr.outbox.tail(0)] == [2]
        assert fyr.jobs.state(job_id).result == '"kept"'

    def test_an_end_that_is_rolled_back_is_none(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        def effect(context: JobContext) -> None:
            def work(session: Session) -> None:
                context.finish(session)
                if context.attempt == 1:
                    raise ValueError("bad")

            context.database.write(work)

        runner.does = effect
        job_id = _submit(fyr)
        fyr.worker.drain()
        assert fyr.jobs.state(job_id).state == "waiting"

        clock.advance(seconds=1)
        fyr.worker.drain()
        assert fyr.jobs.state(job_id).state == "done"

    def test_a_waiting_job_is_cancelled_at_once(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        job_id = _submit(fyr, subject="Patient/1")

        assert fyr.database.write(lambda s: fyr.jobs.cancel(s, job_id)) == "cancelled"
        fyr.worker.drain()
        assert runner.runs == []
        assert _submit(fyr, subject="Patient/1") != job_id

    def test_a_running_job_is_asked_to_end(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        def cancelled(context: JobContext) -> None:
            context.progress(0.5, "half")
            states.append(fyr.jobs.state(job_id))
            fyr.database.write(lambda s: fyr.jobs.cancel(s, job_id))
            fyr.runs.renew()
            context.progress(0.6)

        states: list[JobState] = []
        runner.does = cancelled
        job_id = _submit(fyr)
        fyr.worker.drain()

        (running,) = states
        assert (running.state, running.progress, running.note) == (
            "running",
            0.5,
            "half",
        )
        assert fyr.jobs.state(job_id).state == "cancelled"

    def test_nobody_can_cancel_what_never_was(self, fyr: Deployment) -> None:
        with pytest.raises(NotFound, match="x1"):
            fyr.database.write(lambda s: fyr.jobs.cancel(s, "x1"))
        with pytest.raises(NotFound, match="x1"):
            fyr.jobs.state("x1")

    def test_a_job_that_a_stopping_worker_leaves_has_lost_no_attempt(
        self, fyr: Deployment, runner: Runner
    ) -> None:
        runner.does = lambda context: context.progress(0.1)
        job_id = _submit(fyr)
        stop = threading.Event()
        (context,) = fyr.runs.claim(9, stop)
        stop.set()
        fyr.runs.run(context)

        state = fyr.jobs.state(job_id)
        assert (state.state, state.attempts) == ("waiting", 0)
        with pytest.raises(Interrupted):
            context.progress(0.2)

    def test_a_job_that_nobody_here_knows_waits_for_who_does(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        _submit(fyr)
        stranger = Deployment(fyr.database, clock)

        assert stranger.worker.drain() == 0
        assert fyr.worker.drain() == 1

    def test_many_workers_run_each_job_once(
        self, fyr: Deployment, runner: Runner, clock: FakeClock
    ) -> None:
        for _ in range(20):
            _submit(fyr)
        others = [
            Deployment(fyr.database, clock, jobs=[runner.job()]) for _ in range(3)
        ]
        outcomes = at_once(lambda one: one.worker.drain(), others)

        assert not [one for one in outcomes if isinstance(one, Exception)]
        assert len({run.id for run in runner.runs}) == len(runner.runs) == 20

    def test_jobs_are_counted_and_their_lateness_is_told(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        _submit(fyr)
        fyr.worker.drain()
        _submit(fyr)
        clock.advance(seconds=30)

        assert fyr.jobs.metrics() == {
            "count": {"done": 1, "waiting": 1, "late_seconds": 30.0}
        }

    def test_jobs_that_ended_long_ago_are_removed(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        _submit(fyr)
        fyr.worker.drain()
        kept = _submit(fyr)
        clock.advance(days=1)

        assert fyr.jobs.trim(int(clock.now.timestamp() * 1000)) == 1
        assert [state.id for state in fyr.jobs.states()] == [kept]


def _submit(
    fyr: Deployment,
    arguments: dict[str, Any] | None = None,
    *,
    subject: str | None = None,
) -> str:
    return fyr.database.write(
        lambda session: fyr.jobs.submit(session, "count", arguments, subject=subject)
    )


def _fail_first(context: JobContext) -> None:
    if context.attempt == 1:
        raise ValueError("bad")
