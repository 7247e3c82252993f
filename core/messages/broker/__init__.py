"""The embedded broker: MQTT 5.0 and 3.1.1 on one port, for one machine.

So that any MQTT client hears events of a fresh Fyr at once; why it is our own, and what it
does not do: ``docs/decisions/embedded-broker.md``. Everything is in memory: what a
subscriber misses while the broker restarts, it asks ``/events`` for.
"""

from fyr.core.messages.broker.server import Broker, run_broker

__all__ = ["Broker", "run_broker"]
