"""The contract of plugins finds what it is there to find."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from fyr.core import Manifest, Plugin
from fyr.core.testing import PluginContract

SHODDY = """
    import threading

    import pytest

    from fyr.core import Operation, Plugin, PluginSettings, Manifest, Route, hookimpl
    from fyr.core.hooks.pipeline import Hooks
    from fyr.core.testing import PluginContract


    class Wishes(PluginSettings):
        colour: str = "red"


    class Route_:
        def on_get(self, req, resp): ...


    class Shoddy(Plugin):
        manifest = Manifest(settings=Wishes)

        def start(self, application):
            self.stopped = threading.Event()
            threading.Thread(target=self.stopped.wait, daemon=True).start()

        @hookimpl
        def register_operations(self):
            yield Operation("shout", lambda call: None, frozenset({"system"}))

        @hookimpl
        def register_routes(self):
            yield Route("/shoddy", Route_(), "")

        @hookimpl
        def before_store(self, new):
            new["no-such-method"].refuse()

    class TestShoddy(PluginContract):
        plugin = "shoddy"

        @pytest.fixture
        def fyr_plugins(self):
            return {"shoddy": Shoddy}
"""


class Quiet(Plugin):
    """Does nothing, and does it well."""

    manifest = Manifest("Does nothing.")


class TestQuiet(PluginContract):
    plugin = "quiet"

    @pytest.fixture
    def fyr_plugins(self):
        return {"quiet": Quiet}


def test_a_shoddy_plugin_is_told_everything(tmp_path: Path) -> None:
    (tmp_path / "test_shoddy.py").write_text(dedent(SHODDY))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    failed = {
        line.split("::")[2].split(" ")[0]
        for line in done.stdout.splitlines()
        if line.startswith("FAILED ")
    }
    assert failed == {
        "test_it_says_in_a_sentence_what_it_is_for",
        "test_every_setting_is_explained",
        "test_it_imports_what_fyr_publishes_and_nothing_else",
        "test_it_leaves_no_thread_behind",
        "test_a_resource_that_it_accepts_can_be_kept_changed_and_deleted",
        "test_every_operation_is_explained_and_described",
        "test_every_route_is_explained",
    }, done.stdout
