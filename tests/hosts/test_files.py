"""What is copied into a host: its own interpreter and packages must do."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.hosts.conftest import ADAPTER

COPIED = sorted(ADAPTER.glob("*.py"))
THE_HOSTS_OWN = {"modules", "gradio", "starlette"}


@pytest.mark.parametrize("path", COPIED, ids=lambda path: path.name)
def test_file_has_the_syntax_of_python_3_9(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("path", COPIED, ids=lambda path: path.name)
def test_file_imports_the_standard_library_and_the_hosts_own_inside_functions(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        id(node) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) for node in ast.walk(one)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a user extension has no package"
            names = {str(node.module).partition(".")[0]}
        else:
            continue
        foreign = names - sys.stdlib_module_names - {"__future__"}
        assert foreign <= THE_HOSTS_OWN
        assert not foreign or id(node) in inside


def test_folder_stays_small() -> None:
    sizes = {path.name: path.stat().st_size for path in ADAPTER.iterdir() if path.is_file()}
    assert sum(sizes.values()) < 80_000  # with the bridge and the config under 100 kB
    assert max(len(path.read_text("utf-8").splitlines()) for path in COPIED) < 400
