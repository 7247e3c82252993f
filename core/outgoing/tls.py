"""Who vouches for receivers, and what they are shown."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Files of certificates, as PEM."""

    #: those that vouch for receivers; none: the system's
    ca: Path | None = None
    #: what is shown to receivers, and its key
    certificate: Path | None = None
    key: Path | None = None
