"""Looks up known vulnerabilities of all that comes with Fyr: ``tox -e audit``.

What a user would get today is resolved by pip, and each of it asked for at PyPI's
vulnerability service, by pip-audit. A package index that stands in for PyPI may not have
that service; then nothing is known, which is said in capitals, and is a failure where
``FYR_AUDIT_REQUIRED=1``. What the index itself tells is looked at either way: whether a
release was taken back by its authors (https://peps.python.org/pep-0592/).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
Found = Mapping[str, Any]


def resolved() -> list[Found]:
    """Ask pip what it would install beside Fyr, from nothing."""
    command = "-m pip install --dry-run --ignore-installed --quiet --report -".split()
    done = subprocess.run(
        [sys.executable, *command, str(ROOT)], stdout=subprocess.PIPE, check=True
    )
    installs = json.loads(done.stdout)["install"]
    return [one for one in installs if one["metadata"]["name"] != "fyr"]


def looked_up(releases: Sequence[Found]) -> list[Found]:
    """Ask pip-audit for the vulnerabilities of releases; one answer for each."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("".join(f"{pinned(one)}\n" for one in releases))
        command = "-m pip_audit --no-deps --disable-pip --progress-spinner off -f json"
        done = subprocess.run(
            [sys.executable, *command.split(), "-r", str(listed)],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        dependencies: list[Found] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr, file=sys.stderr)
        return []
    return dependencies


def pinned(release: Found) -> str:
    """Name a release: ``falcon==4.1.0``."""
    metadata = release["metadata"]
    return f"{metadata['name']}=={metadata['version']}"


def verdict(
    releases: Sequence[Found], answers: Sequence[Found], required: bool
) -> tuple[list[str], bool]:
    """Say what was found, in sentences, and whether that is well.

    :param releases: as pip reports them.
    :param answers: as pip-audit gives them; one that was not looked up has a
        ``skip_reason``.
    :param required: whether it is a failure that nobody could be asked.
    """
    yanked = [
        f"{pinned(one)} was taken back by its authors"
        for one in releases
        if one.get("is_yanked")
    ]
    known = [
        f"{one['name']} {one['version']}: {fault['id']},"
        f" mended in {', '.join(fault['fix_versions']) or 'no release yet'}"
        for one in answers
        for fault in one.get("vulns", ())
    ]
    asked = {one["name"].lower() for one in answers if "skip_reason" not in one}
    missing = len(releases) - len(asked)
    told = [*yanked, *known]
    if not asked:
        told.append(
            "NOT AUDITED: the vulnerability service cannot be reached from here, so"
            f" nothing is known about {len(releases)} dependencies; only that"
            f" {len(yanked)} of them were taken back by their authors"
        )
        return told, not (required or yanked)
    told.append(
        f"{len(asked)} dependencies were looked up, {len(known)} faults are known"
    )
    if missing:
        told.append(f"{missing} dependencies could not be looked up")
    return told, not (yanked or known or missing)


def main() -> int:
    """Audit, and tell by the exit status whether all is well."""
    releases = resolved()
    required = os.environ.get("FYR_AUDIT_REQUIRED") == "1"
    told, well = verdict(releases, looked_up(releases), required)
    print("\n".join(told))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
