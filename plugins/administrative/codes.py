"""The refusals of this area, by published name: ``CODES["NAME"].error(...)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fyr.core import ErrorCode, read_error_codes

#: those of the area, and the general ones of the core
CODES: Final[Mapping[str, ErrorCode]] = {
    **read_error_codes("fyr.core"),
    **read_error_codes("fyr.plugins.administrative"),
}
