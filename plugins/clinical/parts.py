"""How the parts of this area join it; its own settings stand in their room."""

from __future__ import annotations

from typing import TypeAlias

from fyr.core import areas
from fyr.core.areas import Part
from fyr.plugins.clinical.settings import ClinicalSettings

__all__ = ["Part", "Room"]

Room: TypeAlias = areas.Room[ClinicalSettings]
