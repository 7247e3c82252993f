"""``fyr blobs``."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.cli import main

KEYS = [b64encode(bytes([number]) * 32).decode() for number in (1, 2)]


def fyr(*arguments: str, **variables: str) -> str:
    done = CliRunner().invoke(main, arguments, env=variables)
    assert done.exit_code == 0, done.output
    return done.output


def test_keys_are_wrapped_anew_by_a_command(tmp_path: Path) -> None:
    options: dict[str, Any] = {"data_dir": tmp_path, "blobs": {"master_key": KEYS[0]}}
    application = build(Settings.model_validate(options))
    application.blobs.put([b"x"], content_type="text/plain", owner="Patient/1")
    application.close()
    variables = {
        "FYR_BLOBS__MASTER_KEY": KEYS[1],
        "FYR_BLOBS__FORMER_MASTER_KEY": KEYS[0],
        "FYR_LOG__LEVEL": "error",
    }

    told = [
        fyr("blobs", "rewrap", "--data-dir", str(tmp_path), **variables)
        for _ in range(2)
    ]

    assert told == ["1 keys were wrapped anew.\n", "0 keys were wrapped anew.\n"]
    told_last = fyr("blobs", "sweep", "--data-dir", str(tmp_path), **variables)
    assert told_last == "0 blobs were removed.\n"
