"""The rules that hold for every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "alltalk_plugin"
HEAVY = ("torch", "TTS", "piper", "onnxruntime", "soundfile", "py3langid", "fastapi", "starlette", "uvicorn")
MOST_LINES = 400


def python_files() -> list[Path]:
    """Ours, without what measurements installed below bench/out."""
    folders = (PACKAGE, ROOT / "hosts", ROOT / "tests", ROOT / "bench")
    found = (path for folder in folders for path in folder.rglob("*.py"))
    return sorted(path for path in found if not path.is_relative_to(ROOT / "bench" / "out"))


def imported_roots(tree: ast.AST) -> set[str]:
    """Top-level names of all imports; a relative import counts as our own."""
    roots: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            roots.add("alltalk_plugin" if node.level else str(node.module).split(".")[0])
    return roots


@pytest.mark.slow  # 'make check-fast' runs the linter itself
def test_layers_when_imports_are_followed_then_arrows_only_point_down() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    ]
    ran = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "module", ["runtime", "speech.service", "swap.service", "plugins.manager", "settings.store", "bridge"]
)
def test_import_when_the_interpreter_is_fresh_then_nothing_heavy_is_loaded(module: str) -> None:
    program = f"import sys, alltalk_plugin.{module}; print(*(n for n in {HEAVY!r} if n in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr


def test_package_when_its_root_is_imported_then_it_imports_nothing() -> None:
    assert imported_roots(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))) == set()


def test_bridge_when_parsed_then_standard_library_and_old_syntax_only() -> None:
    source = (PACKAGE / "bridge.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    assert imported_roots(tree) - sys.stdlib_module_names == set()
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]


def test_files_when_counted_then_none_is_longer_than_the_limit() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()
    }
    assert {str(path): length for path, length in lengths.items() if length > MOST_LINES} == {}
    assert len(lengths) > 50


def test_files_when_searched_then_no_note_to_self_is_left() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in python_files()
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_suppressions_when_used_then_each_has_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if path.name != "test_architecture.py" and lacks_reason(line)
    ]
    assert bare == []


def lacks_reason(line: str) -> bool:
    """Whether a line silences a tool and says no word about why."""
    for marker in ("# noqa: ", "# type: ignore[", "# pragma: no cover"):
        _, found, after = line.partition(marker)
        if found and len(after.replace("]", " ").split()) < 3:
            return True
    return False


def test_asyncio_when_searched_then_only_at_the_rim() -> None:
    below = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "http"]
    found = [
        str(path.relative_to(PACKAGE))
        for path in below
        if any(
            isinstance(node, ast.AsyncFunctionDef)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    ]
    assert found == []
