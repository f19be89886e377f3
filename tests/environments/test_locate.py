from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import EngineMissing, InstallError
from alltalk_plugin.environments.locate import Standing, environment_of, place
from alltalk_plugin.environments.places import EngineFolder, default_home, install_command
from alltalk_plugin.environments.recipe import recipe_of
from alltalk_plugin.environments.record import InstallRecord, write_record
from alltalk_plugin.workers.supervisor import own_environment
from tests.environments.tone import LOCK, tone_spec


def installed(home: Path, spec: EngineSpec, *, complete: bool = True) -> EngineFolder:
    """What a finished installation leaves, as far as it is looked at."""
    folder = EngineFolder(home, spec.name)
    folder.interpreter.parent.mkdir(parents=True)
    folder.interpreter.symlink_to(sys.executable)
    assert spec.environment is not None
    recipe = recipe_of(spec.environment)
    record = InstallRecord(
        recipe=recipe, python="3.11.7", platform="p", device="cpu", complete=complete, size_mb=7
    )
    write_record(folder.record, record)
    return folder


def refusal(home: Path, spec: EngineSpec) -> EngineMissing:
    with pytest.raises(EngineMissing) as caught:
        environment_of(home, spec)
    return caught.value


def test_engine_without_an_environment_when_placed_then_in_the_services(tmp_path: Path) -> None:
    spec = replace(tone_spec(tmp_path), environment=None)
    assert environment_of(tmp_path, spec) == own_environment()


def test_engine_whose_extra_is_installed_when_placed_then_in_the_services_and_its_own_is_not_used(
    tmp_path: Path,
) -> None:
    spec = tone_spec(tmp_path, distributions=("numpy>=2", "no-such-thing>=3; python_version < '3'"))
    installed(tmp_path, spec)
    found = place(tmp_path, spec)
    assert found.standing is Standing.SERVICE
    assert environment_of(tmp_path, spec) == own_environment()
    assert found.versions[0].startswith("numpy 2")


@pytest.mark.parametrize("wanted", [("numpy>=99",), ("numpy>=2", "tone-engine>=1")])
def test_engine_when_the_service_has_another_version_or_a_part_then_its_own_environment(
    tmp_path: Path, wanted: tuple[str, ...]
) -> None:
    spec = tone_spec(tmp_path, distributions=wanted)
    folder = installed(tmp_path, spec)
    assert environment_of(tmp_path, spec).interpreter == folder.interpreter
    assert place(tmp_path, spec).size_mb == 7


def test_engine_when_missing_then_the_error_names_the_command(tmp_path: Path) -> None:
    error = refusal(tmp_path, tone_spec(tmp_path))
    assert error.context == {"engine": "tone", "wanted": "tone-engine>=1", "reason": "missing"}
    assert f"--home {tmp_path} engine install tone'" in error.hint
    assert "about 1 MB" in error.hint


def test_engine_when_killed_while_installed_then_it_says_so(tmp_path: Path) -> None:
    spec = tone_spec(tmp_path)
    installed(tmp_path, spec, complete=False)
    error = refusal(tmp_path, spec)
    assert error.context["reason"] == "unfinished"
    assert "did not come to its end" in error.message


def test_engine_when_the_environment_was_half_made_then_unfinished(tmp_path: Path) -> None:
    EngineFolder(tmp_path, "tone").packages.mkdir(parents=True)
    assert refusal(tmp_path, tone_spec(tmp_path)).context["reason"] == "unfinished"


@pytest.mark.parametrize(
    ("lock", "outdated"), [(LOCK + "more==1\n", True), ("# another word\n" + LOCK, False)]
)
def test_engine_when_the_lock_changes_then_outdated_but_not_by_a_comment(
    tmp_path: Path, lock: str, outdated: bool
) -> None:
    installed(tmp_path, tone_spec(tmp_path))
    found = place(tmp_path, tone_spec(tmp_path, lock=lock))
    assert (found.standing is Standing.OUTDATED) is outdated


def test_engine_when_other_steps_are_wanted_then_outdated(tmp_path: Path) -> None:
    spec = tone_spec(tmp_path)
    installed(tmp_path, spec)
    assert place(tmp_path, tone_spec(tmp_path, steps=())).standing is Standing.OUTDATED


def test_engine_when_its_python_is_gone_then_it_says_so(tmp_path: Path) -> None:
    spec = tone_spec(tmp_path)
    folder = installed(tmp_path, spec)
    folder.interpreter.unlink()
    folder.interpreter.symlink_to(tmp_path / "python-that-was-upgraded")
    assert "Python" in refusal(tmp_path, spec).message


def test_engine_when_its_lock_cannot_be_read_then_it_says_so(tmp_path: Path) -> None:
    spec = tone_spec(tmp_path)
    installed(tmp_path, spec)
    (tmp_path / "tone.txt").unlink()
    assert "tone.txt cannot be read" in refusal(tmp_path, spec).message
    assert place(tmp_path, spec).standing is Standing.BROKEN


def test_engine_when_its_name_is_no_folders_then_broken_and_never_a_path(tmp_path: Path) -> None:
    found = place(tmp_path, replace(tone_spec(tmp_path), name="../tone"))
    assert (found.standing, found.versions) == (Standing.BROKEN, ())


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "", "a b", "C:"])
def test_folder_when_the_name_is_no_folders_then_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InstallError, match="cannot have a folder"):
        EngineFolder(tmp_path, name)


def test_command_when_the_home_is_the_default_then_without_it() -> None:
    assert install_command(default_home(), "piper") == "alltalk-plugin engine install piper"
    spaced = install_command(Path("/my data"), "piper")
    assert spaced == "alltalk-plugin --home '/my data' engine install piper"
