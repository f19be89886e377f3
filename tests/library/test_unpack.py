from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from alltalk_plugin.domain.errors import DownloadFailed, InstallError
from alltalk_plugin.library.unpack import is_archive, unpack


def no_limit(_size_bytes: int) -> None: ...


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return path


def below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


MAKERS = {"zip": make_zip, "tar.gz": make_tar}


@pytest.mark.parametrize("kind", MAKERS)
def test_archive_when_one_folder_is_around_all_then_it_is_left_out(tmp_path: Path, kind: str) -> None:
    archive = MAKERS[kind](
        tmp_path / f"a.{kind}", {"tts--vits/config.json": b"{}", "tts--vits/sub/m.pth": b"m"}
    )
    rooms: list[int] = []
    unpack(archive, tmp_path / "out", rooms.append)
    assert below(tmp_path / "out") == {"config.json": b"{}", "sub/m.pth": b"m"}
    assert rooms == [3]


@pytest.mark.parametrize("kind", MAKERS)
def test_archive_when_files_lie_at_its_top_then_they_stay_there(tmp_path: Path, kind: str) -> None:
    archive = MAKERS[kind](tmp_path / f"a.{kind}", {"config.json": b"{}", "config.json.d/x.y": b"1"})
    unpack(archive, tmp_path / "out", no_limit)
    assert below(tmp_path / "out") == {"config.json": b"{}", "config.json.d/x.y": b"1"}
    single = MAKERS[kind](tmp_path / f"b.{kind}", {"model.pth": b"m"})
    unpack(single, tmp_path / "single", no_limit)
    assert below(tmp_path / "single") == {"model.pth": b"m"}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "name",
    ["../up", "a/../../up", "/etc/passwd", "a/..", "..\\up", "C:/x", "con/x", "a/nul.pth", "a/x ", "a/\x01"],
)
def test_archive_when_a_name_leads_elsewhere_then_nothing_is_written(
    tmp_path: Path, kind: str, name: str
) -> None:
    archive = MAKERS[kind](tmp_path / f"a.{kind}", {"good.json": b"{}", name: b"x"})
    with pytest.raises(DownloadFailed, match="is not unpacked"):
        unpack(archive, tmp_path / "out/deep", no_limit)
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


def test_archive_when_it_holds_links_or_devices_then_nothing_is_written(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "a.tgz", {"good.json": b"{}"}, {"link": "/etc/passwd"})
    with pytest.raises(DownloadFailed, match="no plain file"):
        unpack(tar, tmp_path / "out", no_limit)
    zipped = tmp_path / "a.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DownloadFailed, match="no plain file"):
        unpack(zipped, tmp_path / "out", no_limit)
    assert not (tmp_path / "out").exists()


def test_archive_when_there_is_no_room_then_refused_before_anything_is_written(tmp_path: Path) -> None:
    def none_left(_size_bytes: int) -> None:
        raise InstallError("the disk is full")

    bomb = make_zip(tmp_path / "a.zip", {"zeros": bytes(50_000_000)})
    assert bomb.stat().st_size < 100_000
    with pytest.raises(InstallError, match="full"):
        unpack(bomb, tmp_path / "out", none_left)
    assert not (tmp_path / "out").exists()


def test_archive_when_a_file_is_longer_than_it_says_then_stopped(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.pth": bytes(1_000)})
    content = path.read_bytes()
    # The uncompressed size in the local header and in the directory, little-endian.
    path.write_bytes(content.replace((1_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(DownloadFailed):
        unpack(path, tmp_path / "out", no_limit)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.bz2", "a.tar"])
@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut"])
def test_archive_when_damaged_then_download_failed(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DownloadFailed):
        unpack(path, tmp_path / "out", no_limit)


def test_archive_when_a_member_is_damaged_then_download_failed(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.pth": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DownloadFailed):
        unpack(path, tmp_path / "out", no_limit)


def test_archive_when_empty_or_crowded_then_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="holds no files"):
        unpack(make_zip(tmp_path / "a.zip", {}), tmp_path / "out", no_limit)
    crowded = make_tar(tmp_path / "a.tar.gz", {f"f{number}": b"" for number in range(10_001)})
    with pytest.raises(DownloadFailed, match="10001 files"):
        unpack(crowded, tmp_path / "out", no_limit)


def test_archive_when_two_names_are_one_file_then_install_error(tmp_path: Path) -> None:
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(tmp_path / "a.zip", "w") as archive,
    ):
        archive.writestr("d/a", b"1")
        archive.writestr("d/a", b"2")
    with pytest.raises(InstallError, match="cannot be unpacked"):
        unpack(tmp_path / "a.zip", tmp_path / "out", no_limit)


def test_name_when_it_ends_like_an_archive_then_one() -> None:
    assert [is_archive(name) for name in ("a.ZIP", "a.tar.gz", "a.tgz", "a.onnx", "zip", "a.gz")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
