"""The sample register: made-up people, for trying a server out and for tests.

It answers ``look_up_person`` from a file, as a plugin for the national register would
from a service. Whoever has a real register does not name this one. The people are ours;
their numbers are substitutes, which the register of persons never gives to anybody:
https://cpr.dk/cpr-systemet/erstatningspersonnummer-i-eksterne-systemer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core import Manifest, Plugin, RegisteredPerson, hookimpl
from fyr.plugins.sample_register.reading import SYSTEM, read_bundled, read_register
from fyr.plugins.sample_register.settings import SampleRegisterSettings

if TYPE_CHECKING:
    from fyr.core import PluginSettings

__all__ = ["SampleRegister"]


class SampleRegister(Plugin):
    """A register of a dozen people who do not exist."""

    manifest = Manifest(
        "Knows made-up people by substitute CPR numbers, for trials and tests.",
        settings=SampleRegisterSettings,
    )

    def __init__(self, settings: PluginSettings) -> None:
        """Read the people.

        :raises PluginError: the file has a person who cannot be taken.
        """
        super().__init__(settings)
        file = settings.file if isinstance(settings, SampleRegisterSettings) else None
        self._people = read_bundled() if file is None else read_register(file)

    @hookimpl
    def look_up_person(self, system: str, number: str) -> RegisteredPerson | None:
        """Tell who has a number, or had it once."""
        return self._people.get(number) if system == SYSTEM else None
