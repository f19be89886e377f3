from __future__ import annotations

import os
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import ReferenceUnusable
from alltalk_plugin.engines.coqui.latents import LatentCache


class Counted:
    """Says what it was asked to compute."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, recordings: tuple[Path, ...]) -> str:
        self.asked.append(tuple(path.name for path in recordings))
        if any(path.read_text(encoding="utf-8") == "bad" for path in recordings):
            raise ReferenceUnusable("bad")
        return "+".join(path.read_text(encoding="utf-8") for path in recordings)


@pytest.fixture
def computed() -> Counted:
    return Counted()


def recording(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_latents_when_asked_again_then_not_computed_again(tmp_path: Path, computed: Counted) -> None:
    cache = LatentCache(computed)
    one, two = recording(tmp_path, "a", "A"), recording(tmp_path, "b", "B")
    assert [cache.of((one,)), cache.of((one, two)), cache.of((one,)), cache.of((one, two))] == [
        "A",
        "A+B",
    ] * 2
    assert computed.asked == [("a",), ("a", "b")]


def test_latents_of_the_same_files_in_another_order_are_others(tmp_path: Path, computed: Counted) -> None:
    cache = LatentCache(computed)
    one, two = recording(tmp_path, "a", "A"), recording(tmp_path, "b", "B")
    assert (cache.of((one, two)), cache.of((two, one))) == ("A+B", "B+A")


def test_latents_when_a_file_changes_then_computed_anew(tmp_path: Path, computed: Counted) -> None:
    cache = LatentCache(computed)
    path = recording(tmp_path, "a", "first")
    assert cache.of((path,)) == "first"
    recording(tmp_path, "a", "other")  # of the same length
    os.utime(path, ns=(0, 1))
    assert cache.of((path,)) == "other"


def test_latents_when_more_voices_come_than_are_kept_then_the_longest_unused_goes(
    tmp_path: Path, computed: Counted
) -> None:
    cache = LatentCache(computed, capacity=2)
    a, b, c = ((recording(tmp_path, name, name),) for name in "abc")
    for voice in (a, b, a, c, a, b):
        cache.of(voice)
    assert computed.asked == [("a",), ("b",), ("c",), ("b",)]


def test_latents_when_they_cannot_be_computed_then_nothing_is_kept(tmp_path: Path, computed: Counted) -> None:
    cache = LatentCache(computed)
    path = recording(tmp_path, "a", "bad")
    for _ in range(2):
        with pytest.raises(ReferenceUnusable):
            cache.of((path,))
    assert len(computed.asked) == 2


def test_latents_when_a_file_is_gone_then_unusable_though_they_were_kept(
    tmp_path: Path, computed: Counted
) -> None:
    cache = LatentCache(computed)
    path = recording(tmp_path, "a", "A")
    cache.of((path,))
    path.unlink()
    with pytest.raises(ReferenceUnusable) as caught:
        cache.of((path,))
    assert caught.value.context["path"] == str(path)
