from __future__ import annotations

from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import EngineMissing, ModelNotFound, SelfTestFailed
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.library.adding import NewModel, SelfTest, add_model
from alltalk_plugin.library.checking import Finding, Verdict, check_model
from alltalk_plugin.library.shelf import Shelf
from tests.fakes.light_engines import HEADER, MB, WEIGHTS, make_model
from tests.fakes.memory import FakeMemory
from tests.library.shelves import make_shelf


def checked(
    shelf: Shelf, name: str, *, memory: FakeMemory | None = None, self_test: SelfTest | None = None
) -> dict[str, Finding]:
    memory = memory or FakeMemory(1000 * MB)
    return {one.subject: one for one in check_model(shelf, name, memory=memory, self_test=self_test)}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = make_shelf(tmp_path / "home")
    path = make_model(
        tmp_path / "anna", kind="xtts", languages=["en", "de"], speakers=["a"], clones=True, mb=10
    )
    add_model(shelf, NewModel(name="anna", path=path, engine="coqui"))
    return shelf


def test_check_when_all_is_well_then_four_good_findings(shelf: Shelf) -> None:
    found = checked(shelf, "anna", self_test=lambda _profile: None)
    assert list(found) == ["files", "headers", "memory", "speech"]
    assert {one.verdict for one in found.values()} == {Verdict.FINE}
    assert found["headers"].detail == "xtts, en de, 1 speaker, clones"
    assert "needs 20 MB to load and 10 MB to keep, 1000 MB free on cpu" in found["memory"].detail
    assert "2 files" in found["files"].detail


def test_check_when_a_byte_is_flipped_then_hash_mismatch_names_the_file(shelf: Shelf, tmp_path: Path) -> None:
    weights = tmp_path / "anna" / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[100] ^= 1
    weights.write_bytes(content)
    files = checked(shelf, "anna")["files"]
    assert (files.verdict, files.code) == (Verdict.BAD, "hash_mismatch")
    assert str(weights) in files.detail


def test_check_when_a_file_is_shorter_or_missing_then_said_so(shelf: Shelf, tmp_path: Path) -> None:
    weights = tmp_path / "anna" / WEIGHTS
    weights.write_bytes(b"short")
    assert "has 5 bytes, it had 1024" in checked(shelf, "anna")["files"].detail
    weights.unlink()
    assert checked(shelf, "anna")["files"].code == "not_found"


def test_check_when_headers_are_bad_then_it_is_neither_measured_nor_loaded(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "anna" / HEADER).write_text("{")
    found = checked(shelf, "anna", self_test=lambda _profile: pytest.fail("it was loaded"))
    assert (found["headers"].verdict, found["headers"].code) == (Verdict.BAD, "corrupt")
    assert "memory" not in found and "speech" not in found


def test_check_when_memory_is_short_then_a_note_and_when_it_can_never_fit_then_bad(shelf: Shelf) -> None:
    assert checked(shelf, "anna", memory=FakeMemory(15 * MB, 100 * MB))["memory"].verdict is Verdict.NOTE
    never = checked(shelf, "anna", memory=FakeMemory(15 * MB, 16 * MB))["memory"]
    assert (never.verdict, never.code) == (Verdict.BAD, "too_big")


def test_check_when_it_does_not_speak_then_bad_and_without_its_engine_a_note(shelf: Shelf) -> None:
    def silent(_profile: ModelProfile) -> None:
        raise SelfTestFailed("it is silent")

    def missing(_profile: ModelProfile) -> None:
        raise EngineMissing("coqui is not installed")

    assert checked(shelf, "anna", self_test=silent)["speech"].code == "selftest_failed"
    assert checked(shelf, "anna", self_test=missing)["speech"].verdict is Verdict.NOTE


def test_check_when_the_engine_brings_its_own_files_then_they_are_not_compared(tmp_path: Path) -> None:
    assert list(checked(make_shelf(tmp_path), "espeak")) == ["headers", "memory"]


def test_check_when_there_is_no_card_then_a_note_says_how_to_get_one(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/found")
    shelf = make_shelf(tmp_path)
    assert checked(shelf, "found")["files"].verdict is Verdict.NOTE
    (tmp_path / "model-cards").mkdir()
    (tmp_path / "model-cards/found.json").write_text("{")
    assert checked(shelf, "found")["files"].code == "install_failed"
    with pytest.raises(ModelNotFound, match="did you mean 'found'"):
        checked(shelf, "fuond")
