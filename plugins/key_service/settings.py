"""What a deployer says of the Key Service: ``[plugin.key_service]``."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from fyr.core import PluginSettings


class KeyServiceSettings(PluginSettings):
    """How long keys live, how often one may try, and how costly a try is."""

    max_attempts: int = Field(
        5, ge=1, le=20, description="Wrong attempts in a row that lock a key for good."
    )
    max_age_days: float = Field(365.0, gt=0, description="A key that is older goes.")
    idle_days: float = Field(
        60.0, gt=0, description="A key that nobody has got for so long goes."
    )
    max_devices: int = Field(
        20, ge=1, description="Most keys of one user; one more is 422."
    )
    key_attempts: int = Field(
        10, ge=1, description="Attempts at one key id in a minute; more is 429."
    )
    address_attempts: int = Field(
        60, ge=1, description="Attempts of one address in a minute; more is 429."
    )
    max_unknown: int = Field(
        1_000_000,
        ge=0,
        description="Ids without a key whose attempts are remembered, so that they lock"
        " like keys; the oldest are forgotten first.",
    )
    cleanup_seconds: float = Field(
        3600.0, gt=0, description="How often old keys are looked for."
    )
    hash_memory_kib: int = Field(
        65_536, ge=8, description="argon2id: memory of one hash, in KiB."
    )
    hash_passes: int = Field(3, ge=1, description="argon2id: passes over the memory.")
    hash_lanes: int = Field(4, ge=1, le=64, description="argon2id: lanes.")
    parallel_hashes: int = Field(
        2,
        ge=1,
        description="Hashes that a process makes at once; who has to wait for more than"
        " two seconds is told to come back (503).",
    )

    @model_validator(mode="after")
    def _enough_memory(self) -> Self:
        if self.hash_memory_kib < 8 * self.hash_lanes:
            raise ValueError("hash_memory_kib: is to be 8 for each lane, at least")
        return self
