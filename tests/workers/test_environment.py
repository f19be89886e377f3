from __future__ import annotations

import site
import sys
from pathlib import Path

import pytest

from alltalk_plugin.workers.supervisor import CHILD, WorkerEnvironment, own_environment
from tests.workers.rude_spec import RUDE


def test_command_is_isolated_and_names_entry_and_folders() -> None:
    environment = WorkerEnvironment(Path("/env/bin/python"), (Path("/plugins"),))
    command = environment.command(RUDE, CHILD)
    assert command[:2] == ["/env/bin/python", "-I"]
    assert command[-3:] == [str(CHILD), "rude:create", "/plugins"]
    assert CHILD.is_file()


@pytest.mark.parametrize("enabled", [True, False])
def test_own_environment_names_the_users_site_when_it_is_in_use(
    monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    # An isolated interpreter leaves it out, and a package installed with --user lies there.
    monkeypatch.setattr(site, "ENABLE_USER_SITE", enabled)
    environment = own_environment([Path("/plugins")])
    assert environment.interpreter == Path(sys.executable)
    assert (Path(site.getusersitepackages()) in environment.search_paths) is enabled
