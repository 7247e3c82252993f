"""What was planned a day ago, and what tells of writes under way."""

import os
import select
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from fyr.core.app import Application
from fyr.core.clock import to_millis, utc_now
from fyr.core.testing.clock import FakeClock

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
SATURATION = {"system": "urn:oid:1.2.208.176.2.1", "code": "NPU03011"}
#: Of each kind.
MANY = 150
#: Versions at most that are waited for, and at most that are stored before the kill that
#: comes then; of some 1,500.
FEW = 80
PATIENCE_SECONDS = 180


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def ext(name: str, **value: Any) -> dict[str, Any]:
    return {"url": name if "://" in name else EHEALTH + name, **value}


def entry(name: str, at: str, **value: Any) -> dict[str, Any]:
    """Make an entry of a schedule."""
    (part,) = value.items()
    kind, what = part
    told = {
        "url": kind,
        ("valueCode" if kind == "status" else "valueReference"): what,
    }
    return ext(name, extension=[told, {"url": "scheduledTime", "valueDateTime": at}])


class World:
    """What was there a day ago."""

    def __init__(self, built: Application, clock: FakeClock) -> None:
        self.built = built
        self.clock = clock

    def later(self, **by: float) -> str:
        return (self.clock.now + timedelta(**by)).isoformat()

    def fill(self) -> None:
        """Plan all there is to plan, and let it be known to the timers."""
        alone = [
            {"resourceType": "Patient", "id": "p"},
            {"resourceType": "CareTeam", "id": "old", "status": "active"},
            {"resourceType": "CareTeam", "id": "new", "status": "active"},
            self._episode("measured"),
            self._plan(
                "measured",
                activity=[
                    {"reference": to(f"ServiceRequest/{kind}{n}")}
                    for kind in "rw"
                    for n in range(MANY)
                ],
            ),
        ]
        for some in (alone, *map(self._planned, range(MANY))):
            self.built.act(lambda acting, some=some: acting.store(some))
        self.built.worker().drain()

    def _planned(self, number: int) -> list[dict[str, Any]]:
        """Plan a team and then an end, for an episode and for a plan; and two slots."""
        first, then = self.later(hours=1), self.later(hours=2)
        team = entry("teamschedule", first, careteam=to("CareTeam/new"))
        return [
            self._episode(
                f"e{number}",
                entry("episodeofcare-statusschedule", then, status="finished"),
                team,
            ),
            self._plan(
                f"c{number}",
                entry("careplan-statusschedule", then, status="completed"),
                team,
            ),
            self._request(f"r{number}", hours=1),
            self._request(f"w{number}", hours=40),
        ]

    def _episode(self, id: str, *planned: Any) -> dict[str, Any]:
        made = {
            "resourceType": "EpisodeOfCare",
            "id": id,
            "status": "active",
            "patient": to("Patient/p"),
            "team": [to("CareTeam/old")],
        }
        return {**made, "extension": list(planned)} if planned else made

    def _plan(self, id: str, *planned: Any, **more: Any) -> dict[str, Any]:
        episode = ext(EPISODE, valueReference=to("EpisodeOfCare/measured"))
        return {
            "resourceType": "CarePlan",
            "id": id,
            "status": "active",
            "intent": "order",
            "subject": to("Patient/p"),
            "careTeam": [to("CareTeam/old")],
            "extension": [episode, *planned],
            **more,
        }

    def _request(self, id: str, hours: int) -> dict[str, Any]:
        """Ask for one measurement, in a slot that nobody will have met by then.

        A day later it is missed, or can still be met and is to be reminded of.
        """
        repeat = {
            "boundsPeriod": {
                "start": self.later(hours=1),
                "end": self.later(hours=1 + 3 * hours),
            },
            "frequency": 1,
            "period": 1,
            "periodUnit": "wk",
            "duration": hours,
            "durationUnit": "h",
        }
        episode = ext(EPISODE, valueReference=to("EpisodeOfCare/measured"))
        return {
            "resourceType": "ServiceRequest",
            "id": id,
            "status": "active",
            "intent": "order",
            "subject": to("Patient/p"),
            "code": {"coding": [SATURATION]},
            "occurrenceTiming": {"repeat": repeat},
            "extension": [episode],
        }

    def due(self) -> int:
        """Count the timers whose time has come in the processes."""
        sql = "SELECT COUNT(*) FROM timer WHERE due <= ?"
        return int(self.built.database.rows(sql, (to_millis(utc_now()),))[0][0])

    def finish(self) -> None:
        """Do what the dead have left, as a process that lives on would."""
        self.clock.now = utc_now()
        self.built.worker().drain()

    def found(self, kind: str) -> list[dict[str, Any]]:
        return self.built.act(
            lambda acting: acting.find(kind, ("_lastUpdated", "gt2000"))
        )


class Told:
    """What processes say of each version in the middle of its transaction.

    Once they have begun they store no more than is allowed: whoever looks late finds
    much left to do.
    """

    def __init__(self, folder: Path) -> None:
        self._limited = folder / "limited"
        # For writing too: so it has no end when those who write die.
        self._pipe, self._allowed = (
            _pipe(folder / name) for name in ("told", "allowed")
        )

    def wait_for(self, versions: int) -> None:
        """Let so many be stored, and some more while whoever waits does what it will."""
        _empty(self._allowed)
        os.write(self._allowed, b"." * (versions + FEW))
        self._limited.touch()
        while versions:
            ready, _, _ = select.select([self._pipe], [], [], PATIENCE_SECONDS)
            assert ready, "nothing was stored"
            versions -= len(os.read(self._pipe, versions))

    def forget(self) -> None:
        """Leave out what the dead have said, and let others begin."""
        self._limited.unlink()
        _empty(self._pipe)

    def close(self) -> None:
        os.close(self._pipe)
        os.close(self._allowed)


def _pipe(file: Path) -> int:
    os.mkfifo(file)
    return os.open(file, os.O_RDWR | os.O_NONBLOCK)


def _empty(pipe: int) -> None:
    with suppress(BlockingIOError):
        while os.read(pipe, 65536):
            pass
