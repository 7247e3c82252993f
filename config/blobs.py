"""The settings of blobs."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from fyr.config.section import Section


class BlobSettings(Section):
    """``[blobs]``: where bytes are kept that are too many for the database."""

    url: str = Field(
        "file:blobs",
        pattern=r"^(file:.+|s3(\+http)?://[^/@]+/[^/]+/?)$",
        description=(
            "`file:FOLDER` (relative to the data folder) or `s3://HOST[:PORT]/BUCKET`,"
            " for MinIO and all that speak S3; `s3+http://` without TLS."
        ),
    )
    access_key: str = Field("", description="Name that S3 knows this server by.")
    secret_key: SecretStr | None = Field(None, description="The secret to that name.")
    secret_key_file: Path | None = Field(None, description="File that holds it.")
    region: str = Field("", description="Region of the bucket; empty: `us-east-1`.")
    timeout_seconds: float = Field(
        30.0,
        gt=0,
        description=(
            "How long S3 may be silent. A request without an answer is sent once more, so"
            " it is given up after twice that time."
        ),
    )
    threshold_bytes: int = Field(
        262_144,
        ge=1024,
        description=(
            "Content of a Binary or Attachment with more bytes than this is a blob."
        ),
    )
    max_bytes: int = Field(
        1_073_741_824,
        ge=1024,
        description=(
            "Largest blob; more is 413. A resource in JSON or XML stays within"
            " `server.max_body_bytes`."
        ),
    )
    grace_seconds: float = Field(
        3600.0,
        gt=0,
        description=(
            "How long bytes stay that nothing refers to: the longest upload, the"
            " longest download."
        ),
    )
    orphan_days: float = Field(
        30.0,
        ge=0,
        description=(
            "After how long bytes go that the database has never heard of; 0: never."
            " Nobody else may keep anything in the folder or bucket."
        ),
    )
    master_key: SecretStr | None = Field(
        None,
        description=(
            "Key that the keys of blobs are wrapped with, 32 bytes in base64. None:"
            " on a disk one is made, `blobs.key` in the data folder; on S3 nothing is"
            " sealed."
        ),
    )
    master_key_file: Path | None = Field(None, description="File that holds it.")
    former_master_key: SecretStr | None = Field(
        None, description="The one before, until all keys are wrapped anew."
    )
    former_master_key_file: Path | None = Field(
        None, description="File that holds that."
    )
    strip_pictures: tuple[str, ...] | None = Field(
        None,
        description=(
            "Resource types whose pictures (JPEG, PNG, GIF, WebP) are written anew when"
            ' they are stored, without place, camera and names, such as `["Media",'
            ' "Binary"]`. Unset: those that plugins name, `Media` by `clinical` and'
            " `DocumentReference` by `storage_service`; all other bytes stay as they are."
        ),
    )
    unstripped: Literal["keep", "refuse"] = Field(
        "keep",
        description=(
            "What is done with other pictures (HEIC, TIFF, ...), films and sounds of these"
            " types and of the storage service, which may tell place and time and are not"
            " written anew: `keep` them as they were sent, or `refuse` them with 422."
        ),
    )
    link_seconds: int = Field(
        0,
        ge=0,
        le=604_800,
        description=(
            "How long a signed URL of S3 is good, to which requests for content that is"
            " not sealed are sent on; 0: all content goes through this server."
        ),
    )
