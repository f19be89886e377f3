"""Settings of a running service: reload, write-back, hash."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import SettingsError, SettingsWriteError
from alltalk_plugin.settings.schema import Settings
from alltalk_plugin.settings.store import SettingsStore

TEXT = """\
# mine
speech:
  activate: true  # talk
voices:
  v1.2: {rate: 1.5}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(TEXT)
    return path


def later(file: Path, text: str) -> None:
    """Write as an editor would, some time after the last write."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 10**9, before + 10**9))


def fault(store: SettingsStore) -> object:
    """The line of the error in force."""
    return store.last_error.context["line"] if store.last_error else None


def test_store_when_made_from_a_bad_file_then_raises(file: Path) -> None:
    file.write_text("bad: 1\n")
    with pytest.raises(SettingsError):
        SettingsStore(file)


def test_store_when_a_named_file_is_missing_then_raises_else_defaults(tmp_path: Path) -> None:
    assert SettingsStore(tmp_path / "none.yaml").current == Settings()
    with pytest.raises(SettingsError):
        SettingsStore(tmp_path / "none.yaml", must_exist=True)


def test_reload_when_the_file_changed_then_in_force(file: Path) -> None:
    store = SettingsStore(file)
    assert store.reload_if_changed() is False
    later(file, TEXT.replace("true", "false"))
    assert store.reload_if_changed() is True
    assert store.current.speech.activate is False


def test_reload_when_the_edit_is_bad_then_the_good_one_stays_until_it_is_mended(file: Path) -> None:
    store = SettingsStore(file)
    good = store.current
    later(file, "speech: {activate: false}\nvoices: {a: {rate: 9}}\n")
    assert store.reload_if_changed() is False
    assert store.current is good
    assert fault(store) == 2
    assert store.reload_if_changed() is False
    assert fault(store) == 2
    later(file, "speech: {activate: false}\n")
    assert store.reload_if_changed() is True
    assert fault(store) is None
    assert store.current.speech.activate is False


def test_reload_when_the_file_vanished_then_the_good_one_stays(file: Path) -> None:
    store = SettingsStore(file)
    file.unlink()
    assert store.reload_if_changed() is False
    assert "v1.2" in store.current.voices
    assert store.last_error is not None


def test_reload_when_a_first_file_appears_then_in_force(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "s.yaml")
    later(tmp_path / "s.yaml", "speech: {activate: false}")
    assert store.reload_if_changed() is True
    assert store.current.speech.activate is False


def test_update_when_valid_then_written_in_force_and_comments_kept(file: Path) -> None:
    store = SettingsStore(file)
    given = store.update({"speech.activate": False, ("voices", "v1.2", "rate"): 2, "audio.format": "wav"})
    assert given is store.current
    assert file.read_text() == (
        TEXT.replace("activate: true", "activate: false").replace("1.5", "2") + "audio:\n  format: wav\n"
    )
    assert store.reload_if_changed() is False
    assert SettingsStore(file).current == store.current


def test_update_when_the_file_changed_meanwhile_then_both_changes_hold(file: Path) -> None:
    store = SettingsStore(file)
    later(file, TEXT + "default_voice: v1.2\n")
    store.update({"speech.activate": False})
    assert store.current.default_voice == "v1.2"
    assert store.current.speech.activate is False
    assert "default_voice: v1.2" in file.read_text()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speech.activat", False),
        ("voices.a.rate", 9),
        ("default_voice", "nobody"),
        ("speech.activate.now", True),
        (("voices", "v1.2", "model"), "gone"),
        ("", 1),
        ("speech..x", 1),
    ],
)
def test_update_when_the_result_would_be_wrong_then_nothing_is_written(
    file: Path, key: str | tuple[str, ...], value: str | float
) -> None:
    store = SettingsStore(file)
    good = store.current
    with pytest.raises(SettingsError):
        store.update({key: value})
    assert file.read_text() == TEXT
    assert store.current is good
    assert list(file.parent.iterdir()) == [file]


def test_update_when_the_file_is_broken_then_the_line_is_told_and_the_file_left(file: Path) -> None:
    store = SettingsStore(file)
    later(file, "speech: {activate: [\n")
    with pytest.raises(SettingsError) as caught:
        store.update({"speech.activate": False})
    assert caught.value.context["line"] == 2
    assert file.read_text() == "speech: {activate: [\n"


def test_update_when_it_mends_a_bad_edit_then_the_error_is_gone(file: Path) -> None:
    store = SettingsStore(file)
    later(file, TEXT + "default_voice: nobody\n")
    store.reload_if_changed()
    assert fault(store) == 6
    store.update({"default_voice": None})
    assert fault(store) is None
    assert file.read_text() == TEXT


def test_update_when_there_is_no_file_then_a_private_one_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "s.yaml"
    SettingsStore(file).update({"server.token": "0123456789abcdef"})
    assert file.read_text() == "server:\n  token: 0123456789abcdef\n"
    if os.name != "nt":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes and links")
def test_update_when_the_file_has_a_mode_or_is_a_link_then_both_stay(file: Path) -> None:
    file.chmod(0o640)
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    SettingsStore(link).update({"speech.activate": False})
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert "activate: false" in file.read_text()


def test_update_when_the_lines_end_as_on_windows_then_they_still_do(file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    SettingsStore(file).update({"audio.keep_mb": 1})
    assert file.read_bytes() == (TEXT + "audio:\n  keep_mb: 1\n").replace("\n", "\r\n").encode()


def test_update_when_the_folder_cannot_be_written_then_its_own_error_and_the_old_settings(
    tmp_path: Path,
) -> None:
    blocker = tmp_path / "file"
    store = SettingsStore(blocker / "s.yaml")
    blocker.write_text("")
    with pytest.raises(SettingsWriteError):
        store.update({"speech.activate": False})
    assert store.current.speech.activate is True


def test_update_when_the_file_cannot_be_read_then_its_own_error(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").mkdir()
    with pytest.raises(SettingsWriteError, match="cannot be read"):
        store.update({"speech.activate": False})


def test_update_when_many_threads_write_then_no_change_is_lost(file: Path) -> None:
    store = SettingsStore(file)
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(10)
        for turn in range(3):
            store.update({("voices", f"w{number}.{turn}", "rate"): 1})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(SettingsStore(file).current.voices) == 3 + 12


def test_hash_when_values_change_then_changes_and_comments_do_not_matter(file: Path) -> None:
    store = SettingsStore(file)
    first = store.hash()
    later(file, "# other words\nspeech: {activate: true}\nvoices:\n  v1.2:\n    rate: 1.50\n")
    assert store.reload_if_changed() is True
    assert store.hash() == first
    store.update({"audio.keep_mb": 1})
    assert store.hash() != first
    store.update({"audio.keep_mb": None})
    assert store.hash() == first
    assert len(first) == 64
