"""An adapter's files in a host: put there, looked at, taken away. Nothing else of the host's is touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alltalk_plugin import __version__, bridge
from alltalk_plugin.domain.errors import RequestError
from alltalk_plugin.domain.hosts import HostAdapter, HostCheck

CONFIG_FILE = "alltalk_host.json"
BRIDGE_FILE = "alltalk_bridge.py"
_PACKAGE = Path(bridge.__file__).parent


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation left: which service the files belong to, and which files they are.

    `made` are the folders that were not there before, outermost first.
    """

    interpreter: str
    home: str
    version: str
    files: tuple[str, ...]
    made: tuple[str, ...]


def install(adapter: HostAdapter, host: Path, *, home: Path, interpreter: Path) -> Path:
    """Copy the adapter into `host`, over an older version of itself; gives the folder it is in now.

    Raises: RequestError when that is no such host, or a folder of that name is not ours.
    """
    target = _target(adapter, host)
    before = read_installed(target)
    if before is None and target.exists() and any(target.iterdir()):
        raise RequestError(f"{target} exists and is not ours", hint="Move it away, then install again.")
    contents = dict(_sources(adapter))
    made = before.made if before else tuple(str(path) for path in _missing(target))
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _write(target / name, content)
        _write_installed(
            target,
            Installed(str(interpreter), str(home), __version__, tuple(sorted(contents)), made),
        )
        for name in before.files if before else ():
            if name not in contents:
                (target / name).unlink(missing_ok=True)
        shutil.rmtree(target / "__pycache__", ignore_errors=True)
    except OSError as error:
        raise RequestError(
            f"{target} cannot be written: {error.strerror}",
            hint="Check the permissions of the host's folder.",
        ) from error
    return target


def remove(adapter: HostAdapter, host: Path) -> Path:
    """Take away exactly what `install` put there. Audio in the host's cache is the user's and stays.

    Raises: RequestError when nothing of ours is there.
    """
    target = _target(adapter, host)
    before = read_installed(target)
    if before is None:
        raise RequestError(f"nothing of ours is in {target}", hint="Nothing to do.")
    for name in (*before.files, CONFIG_FILE):
        (target / name).unlink(missing_ok=True)
    shutil.rmtree(target / "__pycache__", ignore_errors=True)
    for path in (target, *map(Path, reversed(before.made))):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return target


def check(adapter: HostAdapter, host: Path) -> HostCheck:
    """Whether the files in `host` are whole, of this version, and lead to a service that can start.

    Raises: RequestError when that is no such host.
    """
    target = _target(adapter, host)
    installed = read_installed(target)
    if installed is None:
        return HostCheck(False, (f"not installed in {target}",))
    faults = list(_faults(adapter, target, installed))
    if faults:
        return HostCheck(False, tuple(faults))
    return HostCheck(True, (f"installed in {target}, version {installed.version}", adapter.switch_on))


def read_installed(target: Path) -> Installed | None:
    """What an installation in `target` says about itself; None when there is none, or it makes no sense."""
    try:
        found = json.loads((target / CONFIG_FILE).read_text(encoding="utf-8"))
        return Installed(
            str(found["interpreter"]),
            str(found["home"]),
            str(found["version"]),
            tuple(Path(name).name for name in found["files"]),
            tuple(str(path) for path in found["made"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _faults(adapter: HostAdapter, target: Path, installed: Installed) -> Iterator[str]:
    again = "run 'alltalk-plugin host install' again"
    if installed.version != __version__:
        yield f"the files are of version {installed.version}, this is {__version__}: {again}"
    for name, content in _sources(adapter):
        path = target / name
        if not path.is_file():
            yield f"{name} is missing: {again}"
        elif installed.version == __version__ and path.read_bytes() != content:
            yield f"{name} was changed: {again}"
    if not Path(installed.interpreter).is_file():
        yield f"the interpreter {installed.interpreter} is gone: {again}"


def _sources(adapter: HostAdapter) -> Iterator[tuple[str, bytes]]:
    folder = _source_folder(adapter.name)
    for name in adapter.files:
        yield name, (folder / name).read_bytes()
    yield BRIDGE_FILE, Path(bridge.__file__).read_bytes()


def _source_folder(name: str) -> Path:
    """In a wheel the hosts' files are inside the package; in a checkout they stand beside it."""
    inside = _PACKAGE / "_hosts" / name
    return inside if inside.is_dir() else _PACKAGE.parent / "hosts" / name


def _target(adapter: HostAdapter, host: Path) -> Path:
    if adapter.place is None:
        raise RequestError(f"{adapter.name} needs no files: it speaks to the service over HTTP", hint="")
    target = adapter.place(host.absolute())
    if target is None:
        raise RequestError(
            f"{host} is not a {adapter.name} folder",
            hint="Name the folder that holds the host's server.py.",
            context={"host": adapter.name},
        )
    return target


def _missing(target: Path) -> list[Path]:
    """The folders that making `target` makes, outermost first."""
    found = [path for path in (target, *target.parents) if not path.exists()]
    return found[::-1]


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _write_installed(target: Path, installed: Installed) -> None:
    found = {
        "interpreter": installed.interpreter,
        "home": installed.home,
        "version": installed.version,
        "files": list(installed.files),
        "made": list(installed.made),
    }
    _write(target / CONFIG_FILE, (json.dumps(found, indent=1) + "\n").encode("utf-8"))
