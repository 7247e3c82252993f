"""Durable jobs and timers: submitted in a transaction, run by any worker."""

from fyr.core.jobs.job import (
    Cancelled,
    Interrupted,
    Job,
    JobContext,
    JobState,
    JobStopped,
)
from fyr.core.jobs.jobs import Jobs
from fyr.core.jobs.runs import Runs

__all__ = [
    "Cancelled",
    "Interrupted",
    "Job",
    "JobContext",
    "JobState",
    "JobStopped",
    "Jobs",
    "Runs",
]
