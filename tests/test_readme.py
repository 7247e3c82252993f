"""What README.md shows is what happens."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fyr.core.testing.process import FyrProcess, fyr_output, fyr_process

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = "http://127.0.0.1:8080"
#: Commands, each with the line that it prints.
EXAMPLES = dict(re.findall(r"^    \$ (.+)\n    (.+)$", README, re.MULTILINE))
PLUGIN = re.search(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo server runs, with the README's plugin."""
    found = tmp_path_factory.mktemp("readme")
    (found / "plugins").mkdir()
    assert PLUGIN is not None
    (found / "plugins" / "reasons.py").write_text(PLUGIN.group(1), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[FyrProcess]:
    """What ``make serve`` starts, on a free port."""
    settings = {"PLUGINS__FOLDER": "plugins"}
    with fyr_process(folder, "serve", "--demo", settings=settings) as running:
        yield running


def matches(shown: str, got: str) -> bool:
    """Tell whether an answer is what is shown, where ``...`` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("..."))), got) is not None


def test_an_answer_that_differs_does_not_match() -> None:
    assert matches('{"a":...,"b":93.0}', '{"a":{"c":1},"b":93.0}')
    assert not matches('{"a":...,"b":93.0}', '{"a":{"c":1},"b":93}')


@pytest.mark.parametrize(
    "command", [command for command in EXAMPLES if command.startswith("curl")]
)
def test_a_request_is_answered_as_shown(command: str, demo: FyrProcess) -> None:
    called = re.fullmatch(rf"curl -s '?{SHOWN}([^']+)'?", command)
    assert called is not None

    answer = httpx.get(f"{demo.url}{called.group(1)}")

    assert matches(EXAMPLES[command], answer.text.replace(demo.url, SHOWN)), answer.text


def test_events_are_told_as_shown(demo: FyrProcess, folder: Path) -> None:
    (command,) = [one for one in EXAMPLES if "events tail" in one]
    arguments = command.removeprefix(".venv/bin/fyr ").split()
    arguments[arguments.index("config/default.toml")] = str(
        ROOT / "config/default.toml"
    )

    first = fyr_output(folder, *arguments).splitlines()[0]

    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.search(moment, first)
    assert re.sub(moment, "", first) == re.sub(moment, "", EXAMPLES[command])


def test_the_plugin_does_what_it_says(demo: FyrProcess) -> None:
    url = f"{demo.base}/Observation/aase-saturation"
    wrong = {**httpx.get(url).json(), "status": "entered-in-error"}
    explained = {**wrong, "note": [{"text": "measured on the neighbour"}]}

    refused = httpx.put(url, json=wrong)
    taken = httpx.put(url, json=explained)

    assert refused.status_code == 422
    issue = refused.json()["issue"][0]
    assert issue["diagnostics"] == "say in a note why this was entered in error"
    assert issue["expression"] == ["Observation.note"]
    assert taken.status_code == 200


@pytest.mark.parametrize("target", re.findall(r"^    make (\w+)", README, re.MULTILINE))
def test_a_make_target_exists(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    "shown",
    sorted(set(re.findall(r"^    fyr ([\w |]+?)(?:  | -| \w+\.)", README, re.M))),
)
def test_a_command_exists(shown: str, tmp_path: Path) -> None:
    first, *rest = re.split(r"[ |]+", shown)

    for more in rest or [""]:
        usage = fyr_output(
            tmp_path, *[first, more, "--help"] if more else [first, "-h"]
        )

        assert usage.startswith("Usage: fyr")


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:\w[\w-]*/)+[\w.-]*)`", README)))
)
def test_a_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
