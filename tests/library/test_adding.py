from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    InstallError,
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    NameTaken,
    RequestError,
    SelfTestFailed,
    SettingsError,
)
from alltalk_plugin.domain.models import Device, ModelProfile
from alltalk_plugin.library.adding import NewModel, add_model
from alltalk_plugin.library.listing import listed_models
from tests.fakes.light_engines import HEADER, WEIGHTS, make_model
from tests.library.shelves import make_shelf


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_model_when_added_then_in_the_settings_with_a_card_of_every_file(tmp_path: Path) -> None:
    path = make_model(tmp_path / "else/anna", kind="vits", mb=3)
    shelf = make_shelf(tmp_path / "home", "# mine\nvoices: {bert: {}}  # kept\n")
    added = add_model(shelf, NewModel(name="anna", path=path, engine="coqui"))
    text = shelf.store.path.read_text()
    assert text.startswith("# mine\nvoices: {bert: {}}  # kept\n") and str(path) in text
    assert shelf.settings.models["anna"].path == path
    assert added.estimate.peak_bytes == 6_000_000
    card = shelf.cards.read("anna")
    assert card == added.card and card is not None
    assert (card.engine, card.kind, card.source, card.licence) == ("coqui", "vits", str(path), None)
    assert card.added == "2023-11-14T22:30:00+00:00" and card.terms_accepted is None
    assert {file.path for file in card.files} == {HEADER, WEIGHTS}
    weights = next(file for file in card.files if file.path == WEIGHTS)
    assert weights.sha256 == hashlib.sha256((path / WEIGHTS).read_bytes()).hexdigest()
    assert weights.size_bytes == 1024
    assert files_below(path) == sorted([HEADER, WEIGHTS])  # nothing is written beside files that are not ours


def test_model_when_below_the_settings_file_then_its_path_is_relative(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    add_model(shelf, NewModel(name="anna", path=make_model(tmp_path / "store/anna"), engine="coqui"))
    assert "path: store/anna" in shelf.store.path.read_text()
    assert make_shelf(tmp_path).settings.models["anna"].path == tmp_path / "store/anna"


def test_model_when_copied_then_the_copy_is_used_and_found_again(tmp_path: Path) -> None:
    path = make_model(tmp_path / "else/anna")
    (path / "sub").mkdir()
    (path / "sub/more.txt").write_text("belongs to it")
    shelf = make_shelf(tmp_path / "home")
    added = add_model(shelf, NewModel(name="anna", path=path, copied=True, engine="coqui"))
    target = tmp_path / "home/models/coqui/anna"
    assert added.profile.path == target == shelf.settings.models["anna"].path
    assert files_below(target) == files_below(path)
    assert added.card.source == str(path) and added.card.path == str(target)


def test_engine_when_left_out_then_the_one_that_knows_the_files(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path / "home")
    for engine in ("coqui", "piper"):
        path = make_model(tmp_path / engine, engine=engine)
        assert add_model(shelf, NewModel(name=engine, path=path)).profile.engine == engine
    with pytest.raises(RequestError, match="coqui or piper") as caught:
        add_model(shelf, NewModel(name="both", path=make_model(tmp_path / "both")))
    assert "--engine" in caught.value.hint
    (tmp_path / "none").mkdir()
    with pytest.raises(RequestError, match=r"no engine here .*coqui: there is no model"):
        add_model(shelf, NewModel(name="none", path=tmp_path / "none"))


def test_model_when_options_are_given_then_written_in_their_kind(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    options = {"temperature": "0.5", "fast": "true"}
    new = NewModel(
        name="anna", path=make_model(tmp_path / "a"), engine="coqui", device=Device("cuda:0"), options=options
    )
    add_model(shelf, new)
    model = make_shelf(tmp_path).settings.models["anna"]
    assert (model.options, model.device) == ({"temperature": 0.5, "fast": True}, "cuda:0")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"name": "../up"}, RequestError, "cannot be the name"),
        ({"name": "Espeak"}, NameTaken, "'espeak'"),
        ({"name": "other"}, NameTaken, "'other'"),
        ({"engine": "cokui"}, ModelNotFound, "did you mean 'coqui'"),
        ({"path": Path("nowhere")}, ModelNotFound, "there is nothing at"),
        ({"options": {"temprature": "1"}}, RequestError, "did you mean 'temperature'"),
        ({"options": {"temperature": "hot"}}, RequestError, "takes a float, not 'hot'"),
        ({"options": {"fast": "1"}}, RequestError, "takes a bool"),
    ],
)
def test_model_when_something_is_wrong_then_a_typed_error_and_nothing_is_left(
    tmp_path: Path, changes: dict[str, object], error: type[AlltalkError], said: str
) -> None:
    shelf = make_shelf(tmp_path / "home", "models: {other: {engine: coqui}}\n")
    before = files_below(tmp_path / "home")
    given = {"name": "anna", "path": make_model(tmp_path / "a"), "engine": "coqui", "copied": True, **changes}
    with pytest.raises(error, match=said):
        add_model(shelf, NewModel(**given))  # type: ignore[arg-type]  # one bad value at a time
    assert files_below(tmp_path / "home") == before
    assert shelf.store.path.read_text() == "models: {other: {engine: coqui}}\n"


@pytest.mark.parametrize("copied", [True, False])
def test_model_when_its_files_are_bad_then_nothing_is_left(tmp_path: Path, copied: bool) -> None:
    path = make_model(tmp_path / "a")
    (path / HEADER).write_text("{")
    shelf = make_shelf(tmp_path / "home")
    with pytest.raises(ModelCorrupt):
        add_model(shelf, NewModel(name="a", path=path, engine="coqui", copied=copied))
    assert files_below(tmp_path / "home") == []
    with pytest.raises(ModelError, match="a stranger's mistake"):
        add_model(shelf, NewModel(name="a", path=make_model(path, crash=True), engine="coqui"))


def test_model_when_the_settings_file_is_broken_then_neither_card_nor_copy_is_left(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path / "home")
    shelf.store.path.write_text("voices: [")
    with pytest.raises(SettingsError):
        add_model(shelf, NewModel(name="a", path=make_model(tmp_path / "a"), engine="coqui", copied=True))
    assert files_below(tmp_path / "home") == ["settings.yaml"]


def test_model_when_the_self_test_fails_then_it_is_not_added(tmp_path: Path) -> None:
    tested: list[str] = []

    def silent(profile: ModelProfile) -> None:
        tested.append(profile.ref)
        raise SelfTestFailed("it is silent")

    shelf = make_shelf(tmp_path / "home")
    new = NewModel(name="a", path=make_model(tmp_path / "a"), engine="coqui")
    with pytest.raises(SelfTestFailed):
        add_model(shelf, new, self_test=silent)
    assert tested == ["a"] and "a" not in shelf.settings.models
    add_model(shelf, new, self_test=lambda profile: tested.append(profile.ref))
    assert tested == ["a", "a"] and "a" in shelf.settings.models


def test_model_when_added_again_from_the_same_place_then_its_card_is_renewed(tmp_path: Path) -> None:
    path = make_model(tmp_path / "home/models/coqui/anna")
    shelf = make_shelf(tmp_path / "home")
    assert shelf.cards.read("anna") is None and "anna" in shelf.settings.models
    first = add_model(shelf, NewModel(name="anna", path=path, engine="coqui")).card
    (path / WEIGHTS).write_bytes(b"trained further")
    second = add_model(shelf, NewModel(name="anna", path=path, engine="coqui")).card
    assert first.files != second.files and shelf.cards.read("anna") == second
    shelf.store.path.write_text("voices: [")
    with pytest.raises(SettingsError):
        add_model(shelf, NewModel(name="anna", path=path, engine="coqui"))
    assert shelf.cards.read("anna") == second


@pytest.mark.parametrize("in_the_way", ["models", "model-cards"])
def test_model_when_the_data_folder_cannot_take_it_then_install_error_and_no_entry(
    tmp_path: Path, in_the_way: str
) -> None:
    shelf = make_shelf(tmp_path / "home")
    (tmp_path / "home" / in_the_way).write_text("a file where a folder belongs")
    with pytest.raises(InstallError):
        add_model(shelf, NewModel(name="a", path=make_model(tmp_path / "a"), engine="coqui", copied=True))
    assert "a" not in make_shelf(tmp_path / "home").settings.models


def test_model_when_copied_over_a_folder_then_name_taken(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path / "home")
    (tmp_path / "home/models/coqui/a").mkdir(parents=True)
    with pytest.raises(NameTaken, match="exists already"):
        add_model(shelf, NewModel(name="a", path=make_model(tmp_path / "a"), engine="coqui", copied=True))


def test_card_when_it_makes_no_sense_then_an_error_names_the_file(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    (tmp_path / "model-cards").mkdir()
    for text in ("{", "[]", "{}", json.dumps({"files": [{"path": 1}]})):
        (tmp_path / "model-cards/anna.json").write_text(text)
        with pytest.raises(InstallError, match=r"anna\.json cannot be read"):
            shelf.cards.read("anna")
    assert shelf.cards.read("../anna") is None


def test_list_when_some_are_broken_then_each_has_its_reason_and_the_rest_its_facts(tmp_path: Path) -> None:
    make_model(
        tmp_path / "models/coqui/good", kind="xtts", speakers=["a", "b"], languages=["en", "de"], clones=True
    )
    (make_model(tmp_path / "models/coqui/bad") / WEIGHTS).unlink()
    shelf = make_shelf(tmp_path, "models: {lost: {engine: coqui, path: nowhere}, odd: {engine: cokui}}\n")
    found = {one.name: one for one in listed_models(shelf)}
    assert list(found) == ["espeak", "lost", "odd", "bad", "good"]
    good = found["good"]
    assert (good.kind, good.speakers, good.languages, good.clones) == ("xtts", 2, ("en", "de"), True)
    assert good.fault is None and good.size_bytes > 1024
    assert "there is nothing at" in (found["lost"].fault or "")
    assert "did you mean 'coqui'" in (found["odd"].fault or "")
    assert found["bad"].fault and found["espeak"].fault is None
