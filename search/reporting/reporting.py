"""The reporting index of a running application, with all that keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files

from fyr.config.settings import Settings
from fyr.core.clock import Clock, instant, to_millis
from fyr.core.declarations.projections import Projection
from fyr.core.errors import Unavailable
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database, Session
from fyr.search.lag import since
from fyr.search.reporting.documents import Projections
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.feeding import Feed
from fyr.search.reporting.generations import FILLING, NAME, SHOWN, WANTED, Generations
from fyr.search.reporting.port import ReportingIndex
from fyr.search.reporting.pulse import Pulse
from fyr.search.reporting.rebuilding import Rebuild

#: The embedded index, in the data folder.
FILE = "reporting.db"

_DEAD = "SELECT COUNT(*) FROM delivery WHERE consumer = ? AND state = 'dead'"
#: When what is to be repeated, or waits behind that, was stored.
_REPEATED = """
    SELECT MIN(o.at) FROM delivery d JOIN outbox o ON o.{position} = d.position
    WHERE d.consumer = ? AND d.state <> 'dead'
"""
_POSITION = {"sqlite": "seq", "postgresql": "position"}
_TAKEN = "SELECT position FROM consumer WHERE name = ?"
_PAUSED = "SELECT error FROM consumer WHERE name = ? AND pauses > 0"
_TRIMMED = "SELECT trimmed FROM outbox_head WHERE id = 1"


@dataclass(frozen=True, slots=True)
class AsOf:
    """What the index has."""

    #: all that was stored until then is in it, in milliseconds since 1970, UTC
    moment: int
    #: changes that it would not take, however often they were tried
    refused: int

    @property
    def instant(self) -> str:
        """The moment, as FHIR writes it."""
        return instant(self.moment)


class Reporting:
    """The index, what feeds it, and what makes it anew."""

    def __init__(
        self,
        index: ReportingIndex,
        projections: Projections,
        database: Database,
        clock: Clock,
        *,
        place: str,
    ) -> None:
        """Join the parts.

        :param place: where the index is, for instance its URL.
        """
        self.index = index
        self.projections = projections
        self.generations = Generations(database, clock, projections, place)
        parts = (index, projections, self.generations, database)
        self.feed = Feed(*parts)
        self.rebuild = Rebuild(*parts)
        self.database = database
        self._clock = clock
        self._pulse = Pulse(index.health)

    def begin(self) -> None:
        """Have the index made anew, if it is not what these projections make of it."""
        self.generations.require()
        if self._has_missed():
            self.database.write(self.generations.want)

    def as_of(self) -> AsOf:
        """Tell what the index has; what is asked of it after that may have more.

        :raises Unavailable: it is not made yet, or is away.
        """
        if self.index.shown() is None:
            self._look_for_what_is_shown()
            raise Unavailable("the reporting index is being made")
        told = self.database.read(self._as_of)
        self.index.refresh()
        return told

    def problem(self) -> str:
        """Tell what is wrong with it, if anything is; waits for nobody."""
        for (error,) in self.database.rows(_PAUSED, (NAME,)):
            return f"the reporting index: {error}"
        found = self._pulse.problem()
        return f"the reporting index: {found}" if found else ""

    def close(self) -> None:
        """Give everything back."""
        self._pulse.close()
        self.index.close()

    def _as_of(self, session: Session) -> AsOf:
        now = to_millis(self._clock())
        position = _POSITION[session.dialect]
        behind = since(session, NAME)
        repeated = session.rows(_REPEATED.format(position=position), (NAME,))[0][0]
        known = [at for at in (behind, repeated) if at is not None]
        # A millisecond may have had more than one change.
        moment = min(known) - 1 if known else now
        return AsOf(moment, int(session.rows(_DEAD, (NAME,))[0][0]))

    def _look_for_what_is_shown(self) -> None:
        """Have the index made anew, where it is another one than the rows tell of."""
        newest = self.generations.all()[-1]
        # Asked again after that: it is shown before its row says so.
        if newest.state == SHOWN and self.index.shown() is None:
            self.generations.lost(newest)

    def _has_missed(self) -> bool:
        """Whether events were removed before they were taken."""
        if self.generations.all()[-1].state in (WANTED, FILLING):
            return False
        trimmed = self.database.rows(_TRIMMED)[0][0]
        taken = self.database.rows(_TAKEN, (NAME,))
        return bool(taken) and bool(taken[0][0] < trimmed)


def open_reporting(
    settings: Settings,
    database: Database,
    clock: Clock,
    declared: Iterable[Projection],
) -> Reporting:
    """Open the index that the settings name; the caller closes it.

    :raises fyr.config.load.ConfigError: the projections cannot be used.
    :raises fyr.core.errors.FyrError: the file cannot be opened, or the schema is behind.
    """
    folder = files("fyr.search.migrations.reporting")
    migrate(database, namespace=NAME, folder=folder, apply=settings.store.migrate)
    projections = Projections(declared)
    index = open_index(settings)
    chosen = settings.reporting
    place = f"{chosen.url} {chosen.index_prefix}"
    return Reporting(index, projections, database, clock, place=place)


def unreached(settings: Settings) -> Iterator[str]:
    """Tell why the Elasticsearch that the settings name cannot be used.

    It is asked how it is, and waited for two seconds.
    """
    if settings.reporting.url in ("", "embedded"):
        return
    ca = settings.reporting.tls_ca
    if ca and not ca.is_file():
        yield f"reporting.tls_ca: there is no file {ca}"
        return
    with closing(open_index(settings)) as index:
        if found := index.health():
            yield f"reporting.url: {found}"


def open_index(settings: Settings) -> ReportingIndex:
    """Open the index alone; nothing is asked of an Elasticsearch yet."""
    chosen = settings.reporting
    if chosen.url == "embedded":
        return EmbeddedIndex(settings.data_dir / FILE)
    # Its client is not small, and most that start a server do not need it.
    from fyr.search.reporting.elasticsearch import ElasticsearchIndex

    return ElasticsearchIndex(
        chosen.url,
        prefix=chosen.index_prefix,
        username=chosen.username,
        password=chosen.password.get_secret_value() if chosen.password else "",
        api_key=chosen.api_key.get_secret_value() if chosen.api_key else "",
        ca=str(chosen.tls_ca) if chosen.tls_ca else "",
        timeout_seconds=chosen.timeout_seconds,
        shards=chosen.shards,
        replicas=chosen.replicas,
    )
