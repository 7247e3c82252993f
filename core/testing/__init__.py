"""The test kit: for authors of plugins, and for Fyr's own tests.

Its pytest plugin brings the fixtures ``fyr_client``, ``fyr_app``, ``fyr_server``,
``fyr_events``, ``fyr_messages``, ``fyr_clock`` and what they are made of
(:mod:`fyr.core.testing.plugin`).
``PluginContract`` is what any plugin can be held against, ``MachineContract`` any state
machine; the contracts of the ports
are in :mod:`fyr.core.testing.contracts`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core.testing.client import Answer as Answer
    from fyr.core.testing.client import Client as Client
    from fyr.core.testing.clock import FakeClock as FakeClock
    from fyr.core.testing.conformance import PluginContract as PluginContract
    from fyr.core.testing.machines import MachineContract as MachineContract
    from fyr.core.testing.principals import PATIENT as PATIENT
    from fyr.core.testing.principals import PRACTITIONER as PRACTITIONER
    from fyr.core.testing.principals import SYSTEM_USER as SYSTEM_USER

_HOME_OF = {
    "Answer": "client",
    "Client": "client",
    "FakeClock": "clock",
    "MachineContract": "machines",
    "PATIENT": "principals",
    "PRACTITIONER": "principals",
    "PluginContract": "conformance",
    "SYSTEM_USER": "principals",
}

__all__ = [*_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
