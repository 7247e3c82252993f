"""What a deployer says of bulk data."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from fyr.core import PluginSettings


class BulkDataSettings(PluginSettings):
    """``[plugin.bulk_data]``: sizes, times, and where imports may be fetched from."""

    file_bytes: int = Field(
        134_217_728,
        ge=1024,
        description="Bytes after which an export begins another file of the same type.",
    )
    keep_hours: float = Field(
        24.0,
        gt=0,
        description="How long files can be fetched, and an outcome asked for.",
    )
    poll_seconds: int = Field(
        5, ge=1, description="`Retry-After` of what is still going on."
    )
    settle_seconds: float = Field(
        2.0,
        ge=0,
        description="How far `transactionTime` lies before the snapshot on PostgreSQL:"
        " longer than a write takes, and than clocks of servers differ.",
    )
    most_active: int = Field(
        4,
        ge=1,
        description="Exports and imports that one principal may have going on; one more"
        " is 429.",
    )
    import_from: list[str] = Field(
        [],
        description="Beginnings of the URLs that imports may be fetched from, each with"
        " scheme, host and a path that ends with `/`; none: imports are uploaded only.",
    )
    import_bytes: int = Field(
        4_294_967_296,
        ge=1024,
        description="Most bytes of one file that is imported, unpacked.",
    )
    import_line_bytes: int = Field(
        16_777_216, ge=1024, description="Most bytes of one line of such a file."
    )
    import_fetch_seconds: float = Field(
        30.0, gt=0, description="How long a source may send nothing."
    )
    import_file_seconds: float = Field(
        3600.0, gt=0, description="How long one file may take to be fetched."
    )
    import_fetch_tries: int = Field(
        10,
        ge=1,
        le=20,
        description="Tries to fetch a file from a source that does not answer or stops in"
        " the middle, with growing waits, before its import fails.",
    )
    import_group: int = Field(
        500,
        ge=1,
        le=1000,
        description="Resources of one transaction of an import.",
    )
    import_refusals: int = Field(
        10_000,
        ge=1,
        description="Refused lines after which an import is given up; they are counted"
        " after each group of `import_group` lines.",
    )

    @field_validator("import_from")
    @classmethod
    def _absolute(cls, value: list[str]) -> list[str]:
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is not an http or https URL")
            if not parts.path.endswith("/") or parts.query or parts.username:
                raise ValueError(f"{url!r} is to end with the / of a path")
        return value
