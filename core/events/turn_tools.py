"""What every turn of a consumer works with."""

from dataclasses import dataclass

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, to_millis
from fyr.core.events.consumers import Cursors
from fyr.core.events.deliveries import Deliveries
from fyr.core.events.outbox import Outbox
from fyr.core.events.outbox_end import News

#: A consumer with this many batches waiting takes no new events until some are done.
BATCHES_WAITING = 5


@dataclass(frozen=True, slots=True)
class Tools:
    """Where events, cursors and deliveries are, and how repeats are timed."""

    outbox: Outbox
    cursors: Cursors
    deliveries: Deliveries
    settings: EventSettings
    backoff: Backoff
    clock: Clock
    news: News

    def now(self) -> int:
        """Tell the time in milliseconds since 1970, UTC."""
        return to_millis(self.clock())

    def full(self, waiting: int) -> bool:
        """Whether so many deliveries wait that new events must wait as well."""
        return waiting >= BATCHES_WAITING * self.settings.batch
