from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alltalk_plugin.domain.errors import (
    AlltalkError,
    DownloadFailed,
    HashMismatch,
    InstallError,
    ModelNotFound,
    NameTaken,
    RequestError,
    SelfTestFailed,
    TermsNotAccepted,
)
from alltalk_plugin.domain.models import ModelProfile
from alltalk_plugin.library.adding import AddedModel
from alltalk_plugin.library.catalogues import find_offer
from alltalk_plugin.library.getting import DOWNLOADS, Terms, get_model
from alltalk_plugin.library.shelf import Shelf
from alltalk_plugin.ownership import lock_descriptor
from tests.fakes.file_server import FileServer
from tests.fakes.light_engines import HEADER, WEIGHTS
from tests.library.catalogue_server import PIPER_KEY, WEIGHTS_CONTENT, serve_coqui, serve_piper, zipped
from tests.library.shelves import make_shelf


class Agrees:
    """Says yes to everything, and remembers what it was."""

    def __init__(self) -> None:
        self.told: list[Terms] = []

    def __call__(self, terms: Terms) -> bool:
        self.told.append(terms)
        return True


def get(
    shelf: Shelf,
    wanted: str,
    catalogue: str | None = None,
    *,
    consent: Callable[[Terms], bool] | None = None,
    **given: Any,
) -> AddedModel:
    offer = find_offer(wanted, catalogue)
    return get_model(shelf, offer, consent=consent or Agrees(), lock=lock_descriptor, **given)


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def left_over(shelf: Shelf) -> list[str]:
    return [name for name in below(shelf.home / DOWNLOADS) if not name.endswith(".lock")]


def test_piper_voice_when_fetched_then_said_first_and_a_model_with_card_afterwards(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, agrees = make_shelf(tmp_path), Agrees()
    added = get(shelf, f"piper:{PIPER_KEY}", serve_piper(server), consent=agrees)
    (terms,) = agrees.told
    assert (terms.name, terms.gated, terms.description) == (PIPER_KEY, False, "English low")
    assert terms.licence == "CC0, see URL"
    assert terms.size_bytes is not None and terms.size_bytes > len(WEIGHTS_CONTENT)
    target = tmp_path / "models/piper" / PIPER_KEY
    assert below(target) == sorted(["MODEL_CARD", HEADER, WEIGHTS])
    assert make_shelf(tmp_path).settings.models[PIPER_KEY].path == target
    card = shelf.cards.read(PIPER_KEY)
    assert card == added.card and card is not None
    assert card.licence == "CC0, see URL" and card.terms_accepted is None
    assert card.source.startswith(server.url)
    weights = next(file for file in card.files if file.path == WEIGHTS)
    assert weights.sha256 == hashlib.sha256(WEIGHTS_CONTENT).hexdigest()
    assert left_over(shelf) == []


def test_piper_voice_when_named_by_its_old_alias_then_the_same(server: FileServer, tmp_path: Path) -> None:
    added = get(make_shelf(tmp_path), "piper:en-us-amy-low", serve_piper(server), name="amy")
    assert added.profile.ref == "amy" and (tmp_path / "models/piper/amy").is_dir()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("piper:en_US-amy-lwo", f"did you mean '{PIPER_KEY}'"),
        ("coqui:en/lj/vitz", "did you mean 'en/lj/vits'"),
        ("coqui:vocoder_models/en/lj/hifigan_v2", "is not in"),
    ],
)
def test_name_when_not_in_the_catalogue_then_the_nearest(
    server: FileServer, tmp_path: Path, wanted: str, said: str
) -> None:
    catalogue = serve_piper(server) if wanted.startswith("piper") else serve_coqui(server)
    with pytest.raises(ModelNotFound, match=said):
        get(make_shelf(tmp_path), wanted, catalogue)


@pytest.mark.parametrize("name", ["tts_models/en/lj/vits", "en/lj/vits", "tts_models--en--lj--vits"])
def test_coqui_model_when_a_zip_then_unpacked_without_its_folder(
    server: FileServer, tmp_path: Path, name: str
) -> None:
    shelf = make_shelf(tmp_path)
    added = get(shelf, f"coqui:{name}", serve_coqui(server))
    assert added.profile.ref == "en--lj--vits" and added.card.licence == "apache 2.0"
    assert below(tmp_path / "models/coqui/en--lj--vits") == [HEADER, WEIGHTS]
    assert left_over(shelf) == []


def test_coqui_model_when_its_name_has_two_hyphens_then_found(server: FileServer) -> None:
    offer = find_offer("coqui:tts_models/en/lj/vits--neon", serve_coqui(server))
    assert (offer.name, offer.licence) == ("en--lj--vits--neon", "bsd-3-clause")


def test_coqui_model_when_it_wants_a_vocoder_then_that_lies_beside_it(
    server: FileServer, tmp_path: Path
) -> None:
    get(make_shelf(tmp_path), "coqui:en/lj/glow-tts", serve_coqui(server), name="glow")
    assert below(tmp_path / "models/coqui/glow") == [
        HEADER,
        f"vocoder/{HEADER}",
        f"vocoder/{WEIGHTS}",
        WEIGHTS,
    ]


def test_coqui_model_when_gated_then_the_terms_are_told_and_their_acceptance_is_kept(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, agrees = make_shelf(tmp_path), Agrees()
    card = get(shelf, "coqui:multilingual/multi-dataset/xtts_v2", serve_coqui(server), consent=agrees).card
    told = [(terms.gated, terms.licence, terms.size_bytes) for terms in agrees.told]
    assert told == [(True, "CPML", len(WEIGHTS_CONTENT) + 32)]
    assert card.terms_accepted == card.added


def test_model_when_its_terms_are_not_accepted_then_none_of_it_is_fetched(
    server: FileServer, tmp_path: Path
) -> None:
    shelf = make_shelf(tmp_path)
    for wanted, catalogue, option in (
        ("coqui:multilingual/multi-dataset/xtts_v2", serve_coqui(server), "--accept-terms"),
        (f"piper:{PIPER_KEY}", serve_piper(server), "--yes"),
    ):
        with pytest.raises(TermsNotAccepted) as caught:
            get(shelf, wanted, catalogue, consent=lambda _terms: False)
        assert option in caught.value.hint
    fetched = [path for method, path, _ in server.asked if method == "GET"]
    assert not any(path.endswith(WEIGHTS) for path in fetched)
    assert set(shelf.settings.models) == {"espeak"}


def test_download_when_cut_then_the_same_command_goes_on_where_it_stopped(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    weights = f"/piper/en/en_US/amy/low/{WEIGHTS}"
    server.put(weights, WEIGHTS_CONTENT, cut_after=[100_000, 0])
    with pytest.raises(DownloadFailed, match="broke off after 100000 bytes"):
        get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert f"{PIPER_KEY}/{WEIGHTS}.part" in left_over(shelf)
    assert PIPER_KEY not in make_shelf(tmp_path).settings.models
    server.asked.clear()
    get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert ("GET", weights, "bytes=100000-") in server.asked
    assert not any(path.endswith(HEADER) for _, path, _ in server.asked)  # came whole the first time


@pytest.mark.parametrize(
    ("content", "error"), [(WEIGHTS_CONTENT[::-1], HashMismatch), (WEIGHTS_CONTENT + b"x", DownloadFailed)]
)
def test_download_when_it_is_not_what_the_catalogue_promised_then_no_model(
    server: FileServer, tmp_path: Path, content: bytes, error: type[AlltalkError]
) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    server.put(f"/piper/en/en_US/amy/low/{WEIGHTS}", content)
    with pytest.raises(error):
        get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert not (tmp_path / "models").exists() and not any(WEIGHTS in name for name in left_over(shelf))


def test_download_when_the_model_is_already_there_then_name_taken_before_anything_is_asked(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    get(shelf, f"piper:{PIPER_KEY}", catalogue)
    with pytest.raises(NameTaken):
        get(shelf, f"piper:{PIPER_KEY}", catalogue)
    with pytest.raises(RequestError, match="cannot be the name"):
        get(shelf, f"piper:{PIPER_KEY}", catalogue, name="../up")


def test_download_when_two_want_the_same_model_then_one_gets_it_and_the_other_is_told(
    server: FileServer, tmp_path: Path
) -> None:
    catalogue = serve_piper(server)
    reached, gate = threading.Event(), threading.Event()
    server.put(f"/piper/en/en_US/amy/low/{WEIGHTS}", WEIGHTS_CONTENT, reached=reached, gate=gate)
    results: list[object] = []

    def first() -> None:
        results.append(get(make_shelf(tmp_path), f"piper:{PIPER_KEY}", catalogue))

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert reached.wait(20)
        with pytest.raises(InstallError, match="another process is fetching"):
            get(make_shelf(tmp_path), f"piper:{PIPER_KEY}", catalogue)
    finally:
        gate.set()
        thread.join(20)
    assert len(results) == 1 and (tmp_path / "models/piper" / PIPER_KEY).is_dir()


def test_download_when_the_engine_cannot_read_it_then_no_model_and_nothing_kept(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    broken = server.put("/broken.zip", zipped("m", engine="other"))
    with pytest.raises(ModelNotFound):
        get(shelf, broken, engine="coqui")
    assert not (tmp_path / "models").exists() and left_over(shelf) == []

    def silent(_profile: ModelProfile) -> None:
        raise SelfTestFailed("it is silent")

    with pytest.raises(SelfTestFailed):
        get(shelf, f"piper:{PIPER_KEY}", catalogue, self_test=silent)
    assert below(tmp_path / "models") == [] and PIPER_KEY not in make_shelf(tmp_path).settings.models


def test_download_when_no_such_engine_is_there_then_told_before_anything_is_fetched(
    server: FileServer, tmp_path: Path
) -> None:
    catalogue = serve_piper(server)
    with pytest.raises(ModelNotFound, match="did you mean 'piper'"):
        get(make_shelf(tmp_path), f"piper:{PIPER_KEY}", catalogue, engine="pipper")
    assert [path for _, path, _ in server.asked] == ["/piper/voices.json"]


def test_address_when_an_archive_then_its_engine_is_guessed(server: FileServer, tmp_path: Path) -> None:
    archive = zipped("my voice", engine="coqui", kind="vits")
    url = server.put("/dl/my voice.zip", archive).replace(" ", "%20")
    agrees = Agrees()
    added = get(make_shelf(tmp_path), f"{url}?download=true", consent=agrees)
    assert (added.profile.ref, added.profile.engine) == ("my voice", "coqui")
    assert agrees.told[0].licence.startswith("not stated")
    assert agrees.told[0].size_bytes == len(archive)


def test_address_when_the_server_does_not_tell_sizes_then_fetched_all_the_same(
    server: FileServer, tmp_path: Path
) -> None:
    agrees = Agrees()
    url = server.put("/a.zip", zipped("a", engine="coqui"), head=False)
    get(make_shelf(tmp_path), url, consent=agrees)
    assert agrees.told[0].size_bytes is None


def test_address_when_an_onnx_file_then_its_configuration_is_fetched_too(server: FileServer) -> None:
    offer = find_offer(f"{server.url}/v/en_US-amy-low.onnx?download=true")
    assert (offer.engine, offer.name) == ("piper", "en_US-amy-low")
    assert [one.url for one in offer.downloads] == [
        f"{server.url}/v/en_US-amy-low.onnx?download=true",
        f"{server.url}/v/en_US-amy-low.onnx.json?download=true",
    ]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("http://example.com/a.zip", "only https"),
        ("https://example.com/model.pth", "neither an archive nor"),
        ("https://example.com/", "neither an archive nor"),
        ("amy", "names no host"),
        ("file:///etc/passwd.zip", "names no host"),
    ],
)
def test_address_when_of_no_use_then_said_why(wanted: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        find_offer(wanted)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "is not JSON"),
        (b"[]", "is no catalogue"),
        (b'{"v": {"files": {"a/..": {}}}}', "names a file"),
        (b'{"v": {"files": {"a/con": {}}}}', "names a file"),
        (b'{"v": {"files": "x"}}', "is not in"),
        (b'{"v": "a.onnx"}', "is not in"),
        (b'{"v": {"files": {"http://example.com/a.onnx": {}}}}', "cannot be fetched"),
    ],
)
def test_catalogue_when_it_is_none_or_not_to_be_trusted_then_a_typed_error(
    server: FileServer, content: bytes, said: str
) -> None:
    url = server.put("/voices.json", content)
    with pytest.raises(AlltalkError, match=said):
        find_offer("piper:v", url)


def test_catalogue_when_a_file_has_a_path_then_its_last_part_alone_names_it_here(server: FileServer) -> None:
    url = server.put("/voices.json", b'{"v": {"files": {"../../evil": {}}}}')
    assert [one.name for one in find_offer("piper:v", url).downloads] == ["evil"]


def test_catalogue_when_an_entry_has_no_address_or_none_is_asked_then_said_so(server: FileServer) -> None:
    with pytest.raises(DownloadFailed, match="no address"):
        find_offer("coqui:en/lj/nowhere", serve_coqui(server))
    with pytest.raises(RequestError, match="in no catalogue"):
        find_offer("https://example.com/a.zip", "https://example.com/voices.json")


def test_model_when_the_data_folder_cannot_take_it_then_install_error_and_what_came_is_kept(
    server: FileServer, tmp_path: Path
) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    (tmp_path / "models").write_text("a file where a folder belongs")
    with pytest.raises(InstallError, match="cannot be made"):
        get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert f"{PIPER_KEY}/{WEIGHTS}" in left_over(shelf)
    (tmp_path / "models").unlink()
    server.asked.clear()
    get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert [path for _, path, _ in server.asked] == ["/piper/voices.json"]


def test_model_when_nothing_can_be_written_then_install_error(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / DOWNLOADS).write_text("a file where a folder belongs")
    with pytest.raises(InstallError, match="cannot be written to"):
        get(make_shelf(tmp_path), f"piper:{PIPER_KEY}", serve_piper(server))


def test_model_when_a_file_lies_in_its_place_then_name_taken(server: FileServer, tmp_path: Path) -> None:
    shelf, catalogue = make_shelf(tmp_path), serve_piper(server)
    (tmp_path / "models/piper").mkdir(parents=True)
    (tmp_path / "models/piper" / PIPER_KEY).write_text("in the way")
    with pytest.raises(NameTaken):
        get(shelf, f"piper:{PIPER_KEY}", catalogue)
    assert [path for _, path, _ in server.asked] == ["/piper/voices.json"]


def test_room_when_there_is_too_little_then_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"MB are needed, .* MB are free"):
        make_shelf(tmp_path).check_room(10**18)
