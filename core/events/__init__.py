"""The outbox and those who are told: consumers, the worker, dead letters, replay."""

from fyr.core.events.change import Change
from fyr.core.events.consumers import Consumer, ConsumerState, consumers_of
from fyr.core.events.dead_letters import DeadLetter, DeadLetters
from fyr.core.events.forgetting import forget_consumer
from fyr.core.events.metrics import (
    ConsumerMetrics,
    consumer_metrics,
    event_readings,
    unsequenced,
)
from fyr.core.events.outbox import Outbox
from fyr.core.events.relay import Relay
from fyr.core.events.replay import replay, replay_since
from fyr.core.events.retention import Retention
from fyr.core.events.worker import Worker

__all__ = [
    "Change",
    "Consumer",
    "ConsumerMetrics",
    "ConsumerState",
    "DeadLetter",
    "DeadLetters",
    "Outbox",
    "Relay",
    "Retention",
    "Worker",
    "consumer_metrics",
    "consumers_of",
    "event_readings",
    "forget_consumer",
    "replay",
    "replay_since",
    "unsequenced",
]
