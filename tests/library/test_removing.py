from __future__ import annotations

from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import ModelNotFound, RequestError, VoiceNotFound
from alltalk_plugin.library.adding import NewModel, add_model
from alltalk_plugin.library.removing import model_removal, remove_model, remove_voice, voice_removal
from alltalk_plugin.library.users import voice_users
from tests.fakes.light_engines import make_model
from tests.library.shelves import make_recording, make_shelf


def test_model_when_removed_then_entry_and_card_go_and_foreign_files_stay(tmp_path: Path) -> None:
    path = make_model(tmp_path / "else/anna")
    shelf = make_shelf(tmp_path / "home", "# mine\nmodels:\n  other: {engine: coqui} # kept\n")
    add_model(shelf, NewModel(name="anna", path=path, engine="coqui"))
    removal = remove_model(shelf, "anna")
    assert removal.deleted == () and path.is_dir()
    assert shelf.store.path.read_text() == "# mine\nmodels:\n  other: {engine: coqui} # kept\n"
    assert shelf.cards.read("anna") is None


@pytest.mark.parametrize("registered", [True, False])
def test_model_when_its_files_are_ours_then_they_go_too(tmp_path: Path, registered: bool) -> None:
    shelf = make_shelf(tmp_path / "home")
    folder = tmp_path / "home/models/coqui/anna"
    if registered:
        new = NewModel(name="anna", path=make_model(tmp_path / "a"), engine="coqui", copied=True)
        add_model(shelf, new)
    else:
        make_model(folder)
        shelf.store.reload_if_changed()
    make_model(tmp_path / "home/models/coqui/other")
    assert remove_model(shelf, "anna").deleted == (folder,)
    assert not folder.exists() and (tmp_path / "home/models/coqui/other").is_dir()
    assert "anna" not in make_shelf(tmp_path / "home").settings.models


@pytest.mark.parametrize(
    ("path", "deleted"),
    [
        ("models/coqui/anna", "models/coqui/anna"),
        ("models/coqui/anna/model.json", "models/coqui/anna"),
        ("models/coqui", None),
        ("models", None),
        ("models/../elsewhere/deep", None),
        ("models/../../up/and/away", None),
        ("models-of-others/coqui/anna", None),
        ("/", None),
    ],
)
def test_model_when_its_path_leads_elsewhere_then_nothing_is_deleted(
    tmp_path: Path, path: str, deleted: str | None
) -> None:
    shelf = make_shelf(tmp_path, f"models: {{anna: {{engine: coqui, path: '{path}'}}}}\n")
    removal = model_removal(shelf, "anna")
    assert removal.deleted == (() if deleted is None else (tmp_path / deleted,))


def test_model_when_another_uses_the_same_files_then_they_stay(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "models/coqui/anna")
    shelf = make_shelf(tmp_path, "models: {second: {engine: coqui, path: models/coqui/anna}}\n")
    assert remove_model(shelf, "second").deleted == ()
    assert folder.is_dir()


def test_model_when_its_folder_is_a_link_then_the_link_goes_and_its_target_stays(tmp_path: Path) -> None:
    target = make_model(tmp_path / "else")
    link = tmp_path / "home/models/coqui/anna"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    remove_model(make_shelf(tmp_path / "home"), "anna")
    assert not link.exists() and target.is_dir()


def test_model_when_voices_use_it_then_refused_with_their_names(tmp_path: Path) -> None:
    text = "models: {m: {engine: coqui}}\nvoices: {anna: {model: m, speaker: p1}, bert: {model: m}}\n"
    shelf = make_shelf(tmp_path, text)
    with pytest.raises(RequestError, match="voices 'anna', 'bert'"):
        remove_model(shelf, "m")
    assert shelf.store.path.read_text() == text
    assert remove_model(shelf, "m", force=True).rerouted == ("anna", "bert")
    voices = make_shelf(tmp_path).settings.voices
    assert (voices["anna"].model, voices["anna"].speaker) == ("espeak", None)
    assert voices["bert"].model == "espeak"


def test_model_when_found_voices_use_it_then_only_those_that_are_named_count(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    make_recording(tmp_path / "voices/anna.wav")
    make_recording(tmp_path / "voices/bert.wav")
    shelf = make_shelf(tmp_path, "characters: {Aria: {voice: anna}}\n")
    with pytest.raises(RequestError, match="voice 'anna'") as caught:
        remove_model(shelf, "xtts")
    assert "bert" not in caught.value.message
    remove_model(shelf, "xtts", force=True)
    settings = make_shelf(tmp_path).settings
    assert settings.voices["anna"].model == "espeak" and "bert" not in settings.voices


def test_model_when_built_in_or_unknown_then_refused(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path, "voices: {anna: {}}\n")
    with pytest.raises(RequestError, match="built in"):
        remove_model(shelf, "espeak")
    with pytest.raises(ModelNotFound, match="did you mean 'espeak'"):
        remove_model(shelf, "espeek")
    redefined = make_shelf(tmp_path, "models: {espeak: {engine: espeak}}\nvoices: {anna: {}}\n")
    assert remove_model(redefined, "espeak").rerouted == ()
    assert make_shelf(tmp_path).settings.models["espeak"].pinned


USES = """\
default_voice: anna
narrator_voice: anna
voices: {anna: {rate: 1.5}, bert: {fallback: anna}}
characters:
  Aria: {voice: anna, narrator: anna, languages: {fr: anna, de: bert}}  # hers
languages: {voices: {it: anna}}
lexicon: {voices: {anna: {GIF: jif}}}
"""


def test_voice_when_used_then_refused_and_every_user_is_named(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path, USES)
    with pytest.raises(RequestError) as caught:
        remove_voice(shelf, "anna")
    for user in ("the default voice", "the narrator", "'Aria'", "language it", "'bert'", "the lexicon"):
        assert user in caught.value.message
    assert shelf.store.path.read_text() == USES


def test_voice_when_removed_by_force_then_nobody_names_it_and_the_file_is_valid(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path, USES)
    remove_voice(shelf, "anna", force=True)
    settings = make_shelf(tmp_path).settings
    assert "anna" not in settings.voices and voice_users(settings, "anna") == ()
    aria = settings.characters["Aria"]
    assert (aria.voice, aria.narrator, dict(aria.languages)) == ("default", None, {"de": "bert"})
    assert "# hers" in shelf.store.path.read_text()


def test_voice_when_its_recordings_are_ours_then_they_go_unless_another_uses_them(tmp_path: Path) -> None:
    make_model(tmp_path / "models/coqui/xtts", clones=True)
    mine = make_recording(tmp_path / "voices/anna/01.wav")
    shared = make_recording(tmp_path / "voices/bert.wav")
    foreign = make_recording(tmp_path / "else/c.wav")
    text = (
        "voices:\n  anna: {model: xtts, reference: [voices/anna/01.wav]}\n"
        "  second: {model: xtts, reference: [voices/bert.wav, else/c.wav]}\n"
    )
    shelf = make_shelf(tmp_path, text)
    assert remove_voice(shelf, "anna").deleted == (tmp_path / "voices/anna",)
    assert not mine.exists()
    assert voice_removal(shelf, "second").deleted == ()
    remove_voice(shelf, "second")
    assert shared.exists() and foreign.exists()
    assert remove_voice(shelf, "bert").deleted == (shared,)
    assert not shared.exists()


def test_voice_when_built_in_or_unknown_then_refused_and_a_redefinition_goes(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path, "voices: {narrator: {rate: 2.0}}\n")
    with pytest.raises(RequestError, match="built in"):
        remove_voice(shelf, "default")
    with pytest.raises(VoiceNotFound, match="did you mean 'default'"):
        remove_voice(shelf, "defualt")
    remove_voice(shelf, "narrator")
    assert make_shelf(tmp_path).settings.voices["narrator"].rate == 0.95
