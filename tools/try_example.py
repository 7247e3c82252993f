"""Does with an example plugin what a third party does: builds, installs, tests, serves it.

    python tools/try_example.py examples/fyr-greeter

Installs the wheel into this Python environment; give it one that may be thrown away.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from fyr.core.testing.process import fyr_command, fyr_process

ENABLED = '["search", "greeter"]'


def run(*command: str, **options: str) -> str:
    """Run a command; its output, or the end of this script."""
    done = subprocess.run(
        command,
        env={**os.environ, **options},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\nended with {done.returncode}")
    return done.stdout


def get(url: str) -> dict[str, object]:
    """Get JSON."""
    with urllib.request.urlopen(url) as answer:
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


def main(example: Path) -> None:
    """Go the way from source to a served operation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", name, str(example))
        (wheel,) = folder.glob("*.whl")
        run(
            *(sys.executable, "-m", "pip", "install", "--quiet"),
            *("--force-reinstall", "--no-deps", str(wheel)),
        )
        print(f"built and installed {wheel.name}")
        print(run(str(Path(sys.executable).parent / "pytest"), "-q", str(example)))
        listed = run(fyr_command(), "plugins", FYR_PLUGINS__ENABLED=ENABLED)
        print(listed)
        assert "greeter" in listed, "fyr plugins does not list it"
        with fyr_process(folder, settings={"PLUGINS__ENABLED": ENABLED}) as running:
            statement = json.dumps(get(f"{running.base}/metadata"))
            assert '"greet"' in statement, (
                "the CapabilityStatement does not list $greet"
            )
    print("fyr plugins and the CapabilityStatement show it")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
