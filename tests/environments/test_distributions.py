from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from alltalk_plugin.environments.distributions import brought, unmet, versions


def put(site: Path, name: str, ver: str | None, *, plugin: bool = True, origin: object = None) -> None:
    """What pip leaves of a distribution."""
    folder = site / f"{name}-{ver}.dist-info"
    folder.mkdir(parents=True)
    if ver is not None:
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {ver}\n")
    if plugin:
        (folder / "entry_points.txt").write_text("[alltalk_plugin]\nx = x\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        ("tone>=1", ()),
        ("Tone-X ; python_version < '3'", ()),
        ("tone==1.5", ()),  # a device's build of it fits too
        ("tone>=2", ("tone>=2",)),
        ("torch>=2.9", ("torch>=2.9",)),
        ("broken", ("broken",)),
    ],
)
def test_requirement_when_looked_for_then_version_and_marker_count(
    tmp_path: Path, wanted: str, missing: tuple[str, ...]
) -> None:
    put(tmp_path, "tone", "1.5+cpu", plugin=False)
    put(tmp_path, "broken", None, plugin=False)
    assert unmet((wanted,), tmp_path) == missing


def test_versions_when_some_are_missing_then_the_others(tmp_path: Path) -> None:
    put(tmp_path, "tone", "1.5", plugin=False)
    assert versions(("torch", "tone>=1"), tmp_path) == ("tone 1.5",)
    assert versions(("numpy>=1",)) == (f"numpy {version('numpy')}",)


@pytest.mark.parametrize(
    ("origin", "arguments"),
    [
        (None, ("tone==1.5",)),
        ({"url": "file:///src/tone", "dir_info": {}}, ("tone @ file:///src/tone",)),
        ({"url": "file:///src/tone", "dir_info": {"editable": True}}, ("--editable", "file:///src/tone")),
        (
            {"url": "file:///dl/tone-1.5-py3-none-any.whl", "archive_info": {}},
            ("tone @ file:///dl/tone-1.5-py3-none-any.whl",),
        ),
        (
            {
                "url": "https://example.org/tone.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "subdirectory": "python",
            },
            ("tone @ git+https://example.org/tone.git@abc#subdirectory=python",),
        ),
    ],
)
def test_distribution_with_plugins_when_wanted_then_from_where_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: object, arguments: tuple[str, ...]
) -> None:
    put(tmp_path, "tone", "1.5", origin=origin)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = brought("tone>=1")
    assert found is not None
    assert (found.name, found.version, found.pip_arguments) == ("tone", "1.5", arguments)


def test_distribution_when_it_brings_no_plugin_or_is_missing_then_an_ordinary_requirement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "tone", "1.5", plugin=False, origin={"url": "file:///src/tone", "dir_info": {}})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert brought("tone") is None
    assert brought("numpy") is None
    assert brought("no-such-thing") is None
