"""The order of an installation, and every place it can stop at; no pip, no time."""

from __future__ import annotations

import errno
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from alltalk_plugin.domain.engines import InstallStep
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.exclusive import alone
from alltalk_plugin.environments.install import install
from alltalk_plugin.environments.locate import Standing, place
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.environments.remove import installed_engines, remove
from tests.environments.tone import LOCK, STEPS, tone_spec
from tests.environments.workshop import Killed, Workshop, import_failure, pip_failure

WHOLE = [
    "1/4 make an environment for cpu",
    "2/4 install tone-engine",
    "3/4 install tone-extra",
    "4/4 import the engine",
]


def test_engine_when_installed_then_step_by_step_under_the_lock_and_again_is_nothing(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec = tone_spec(tmp_path)
    done = install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert (done.changed, done.placement.standing) == (True, Standing.OWN)
    assert workshop.told.stages == WHOLE
    lock = str(tmp_path / "tone.txt")
    assert workshop.pip_calls == [
        ("install", "--constraint", lock, "tone-engine"),
        ("install", "--constraint", lock, "--no-deps", "tone-extra"),
    ]
    workshop.told.clear()
    again = install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert (again.changed, again.placement) == (False, done.placement)
    assert workshop.told == []
    assert len(workshop.pip_calls) == 2


@pytest.mark.parametrize(
    ("where", "next_stages"),
    [
        ("make", WHOLE),
        ("tone-engine", WHOLE[1:]),
        ("tone-extra", WHOLE[2:]),
        ("import", WHOLE[3:]),
    ],
)
@pytest.mark.parametrize("fault", [Killed, KeyboardInterrupt])
def test_installation_when_killed_at_a_step_then_unfinished_and_the_next_run_repeats_no_other(
    home: Path,
    tmp_path: Path,
    workshop: Workshop,
    *,
    where: str,
    next_stages: list[str],
    fault: type[BaseException],
) -> None:
    spec = tone_spec(tmp_path)
    workshop.faults[where] = fault()
    with pytest.raises(fault):
        install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert place(home, spec).standing is Standing.UNFINISHED
    workshop.told.clear()
    assert install(home, spec, tell=workshop.told, machine=workshop.machine).changed
    assert workshop.told.stages == next_stages
    assert place(home, spec).standing is Standing.OWN


def test_installation_when_pip_fails_then_its_words_the_log_and_the_way_on(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    workshop.faults["tone-extra"] = pip_failure()
    with pytest.raises(InstallError, match="tone-extra could not be installed: No space left") as caught:
        install(home, tone_spec(tmp_path), tell=workshop.told, machine=workshop.machine)
    log = str(EngineFolder(home, "tone").log)
    assert caught.value.context == {
        "engine": "tone",
        "step": "tone-extra",
        "log": log,
        "last_lines": "first\nERROR: No space left on device",
    }
    assert log in caught.value.hint


def test_engine_when_it_cannot_be_imported_then_it_does_not_count_as_installed(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    workshop.faults["import"] = import_failure()
    with pytest.raises(InstallError, match="cannot be imported"):
        install(home, tone_spec(tmp_path), tell=workshop.told, machine=workshop.machine)
    assert place(home, tone_spec(tmp_path)).standing is Standing.UNFINISHED


@pytest.mark.parametrize("reason", ["lock", "steps", "force", "device", "python", "link"])
def test_complete_engine_when_it_must_change_then_made_anew(
    home: Path, tmp_path: Path, workshop: Workshop, reason: str
) -> None:
    spec, folder = tone_spec(tmp_path), EngineFolder(home, "tone")
    older = tone_spec(tmp_path, steps=STEPS[:1]) if reason == "steps" else spec
    install(home, older, tell=workshop.told, machine=workshop.machine)
    (folder.root / "of-the-first").touch()
    if reason == "lock":
        spec = tone_spec(tmp_path, lock=LOCK + "more==1\n")
    elif reason == "python":
        folder.interpreter.unlink()
    elif reason == "link":
        folder.root.rename(tmp_path / "elsewhere")
        folder.root.symlink_to(tmp_path / "elsewhere")
    device = "cuda" if reason == "device" else None
    workshop.told.clear()
    force = reason == "force"
    assert install(
        home, spec, tell=workshop.told, device=device, force=force, machine=workshop.machine
    ).changed
    assert workshop.told.stages[0] == f"1/4 make an environment for {device or 'cpu'}"
    assert not (folder.root / "of-the-first").exists()
    assert (tmp_path / "elsewhere" / "of-the-first").exists() is (reason == "link")
    assert place(home, spec).standing is Standing.OWN


def test_engine_in_use_when_it_must_be_made_anew_then_refused_and_kept(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec = tone_spec(tmp_path)
    install(home, spec, tell=workshop.told, machine=workshop.machine)
    workshop.users = (11, 12)
    with pytest.raises(InstallError, match=r"in use by 2 running process\(es\): 11, 12"):
        install(home, spec, tell=workshop.told, force=True, machine=workshop.machine)
    assert place(home, spec).standing is Standing.OWN


@pytest.mark.parametrize(
    ("kind", "extra", "remarks"),
    [
        ("cpu", ("--extra-index-url", "https://builds/cpu"), 0),
        ("cuda", (), 1),  # its index does not answer
        ("rocm", (), 0),  # it has none: the ordinary one has its builds
    ],
)
def test_builds_for_the_device_when_its_index_answers_then_taken_from_there_else_said(
    home: Path,
    tmp_path: Path,
    workshop: Workshop,
    *,
    kind: str,
    extra: tuple[str, ...],
    remarks: int,
) -> None:
    workshop.kind, workshop.reachable = kind, ("https://builds/cpu",)
    indexes = {"cpu": "https://builds/cpu", "cuda": "https://builds/cuda"}
    install(home, tone_spec(tmp_path, indexes=indexes), tell=workshop.told, machine=workshop.machine)
    lock = ("install", "--constraint", str(tmp_path / "tone.txt"))
    assert workshop.pip_calls[0] == (*lock, *extra, "tone-engine")
    assert len(workshop.told.remarks) == remarks
    assert all(
        "https://builds/cuda (builds for cuda) does not answer" in one for one in workshop.told.remarks
    )


def test_device_when_an_earlier_run_chose_one_then_kept(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec = tone_spec(tmp_path)
    workshop.faults["tone-extra"] = Killed()
    with pytest.raises(Killed):
        install(home, spec, tell=workshop.told, device="cuda", machine=workshop.machine)
    install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert "for cuda" in place(home, spec).why


def test_distribution_that_brings_the_engine_when_installed_then_bare_from_where_the_services_came(
    home: Path, tmp_path: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    metadata = site / "tone_plugin-3.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tone-plugin\nVersion: 3.1\n")
    (metadata / "entry_points.txt").write_text("[alltalk_plugin]\ntone = tone_plugin\n")
    (metadata / "direct_url.json").write_text('{"url": "file:///src/tone", "dir_info": {}}')
    monkeypatch.syspath_prepend(str(site))
    spec = tone_spec(tmp_path, steps=(InstallStep(("tone-plugin>=3", "tone-engine")),))
    install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert [call[-1] for call in workshop.pip_calls] == ["tone-engine", "tone-plugin @ file:///src/tone"]
    assert "--no-deps" not in workshop.pip_calls[0]
    assert workshop.pip_calls[1] == ("install", "--no-deps", "tone-plugin @ file:///src/tone")
    assert place(home, spec).standing is Standing.OWN
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tone-plugin\nVersion: 3.2\n")
    assert place(home, spec).standing is Standing.OUTDATED  # its spec and its engine must be of one version


def test_installation_when_the_disk_is_too_small_then_refused_with_both_numbers(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec = tone_spec(tmp_path, size_mb=1_000)
    workshop.free = 900_000_000
    with pytest.raises(InstallError, match=r"needs 1400 MB .* where 900 MB are free"):
        install(home, spec, tell=workshop.told, machine=workshop.machine)
    assert place(home, spec).standing is Standing.MISSING
    assert workshop.told == []


def test_installation_when_another_one_runs_then_refused_and_free_when_it_ended(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec = tone_spec(tmp_path)
    with alone(EngineFolder(home, "tone")):
        with pytest.raises(InstallError, match="another process is installing or removing tone"):
            install(home, spec, tell=workshop.told, machine=workshop.machine)
        EngineFolder(home, "tone").root.mkdir()
        with pytest.raises(InstallError, match="another process"):
            remove(home, "tone")
    assert install(home, spec, tell=workshop.told, machine=workshop.machine).changed


def test_engines_lock_when_the_disk_has_none_then_that_is_said(home: Path) -> None:
    def no_locks(_descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with (
        pytest.raises(InstallError, match="cannot lock files: No locks available"),
        alone(EngineFolder(home, "tone"), no_locks),
    ):
        pass


def test_removal_when_the_disk_refuses_then_an_install_error_with_the_reason(home: Path) -> None:
    EngineFolder(home, "tone").root.mkdir(parents=True)
    (home / "engines" / ".tone.removed-1").write_text("a file where a folder was")
    with pytest.raises(InstallError, match=r"removed-1: Not a directory"):
        remove(home, "tone")


def test_installation_when_the_platform_is_untried_then_said_and_gone_on(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    install(home, tone_spec(tmp_path, tried=("win-amd64",)), tell=workshop.told, machine=workshop.machine)
    (remark,) = workshop.told.remarks
    assert f"never tried on {sysconfig.get_platform()} (tried: win-amd64)" in remark


def test_installation_when_the_data_folder_is_a_file_then_an_install_error(
    tmp_path: Path, workshop: Workshop
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(InstallError, match="cannot be written to"):
        install(blocked, tone_spec(tmp_path), tell=workshop.told)


def test_installation_when_a_file_cannot_be_written_then_an_install_error_with_the_reason(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    workshop.faults["make"] = OSError(28, "No space left on device", "/home/engines")
    with pytest.raises(InstallError, match="/home/engines: No space left on device"):
        install(home, tone_spec(tmp_path), tell=workshop.told, machine=workshop.machine)


def test_engine_without_an_environment_when_installed_then_nothing_is_done(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    done = install(home, replace(tone_spec(tmp_path), environment=None), tell=workshop.told)
    assert (done.changed, done.placement.standing) == (False, Standing.SERVICE)
    assert list(home.iterdir()) == []


def test_engine_when_removed_then_gone_with_what_an_earlier_removal_left(
    home: Path, tmp_path: Path, workshop: Workshop
) -> None:
    spec, folder = tone_spec(tmp_path), EngineFolder(home, "tone")
    install(home, spec, tell=workshop.told, machine=workshop.machine)
    left = folder.root.with_name(".tone.removed-abc")
    left.mkdir()
    assert installed_engines(home) == ("tone",)
    assert remove(home, "tone")
    assert place(home, spec).standing is Standing.MISSING
    assert not left.exists()
    assert installed_engines(home) == ()
    assert not remove(home, "tone")
