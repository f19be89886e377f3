"""What is a process's own, measured on real ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from alltalk_plugin.workers.memory import own_bytes, own_bytes_but_files

MB = 1_000_000
NOISE_BYTES = 1 * MB
READ_ALL = "sum(mapped[::4096])"

linux = pytest.mark.skipif(not psutil.LINUX, reason="tells mappings apart")


@contextmanager
def running(script: str, *arguments: str) -> Iterator[psutil.Process]:
    """A Python that has run `script` and waits."""
    command = [sys.executable, "-I", "-c", f"{script}\nprint(flush=True)\ninput()", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def measured(script: str, *arguments: str) -> tuple[int, int]:
    with running(script, *arguments) as process:
        return own_bytes(process), own_bytes_but_files(process)


def test_what_is_allocated_counts() -> None:
    base, base_but_files = measured("import mmap, sys")
    own, own_but_files = measured("import mmap, sys\nheld = bytearray(b'x' * 50_000_000)")
    assert abs(own - base - 50 * MB) < NOISE_BYTES
    assert abs(own_but_files - base_but_files - 50 * MB) < NOISE_BYTES


@linux
def test_a_mapped_model_counts_as_far_as_it_was_read(tmp_path: Path) -> None:
    weights = tmp_path / "model.bin"
    weights.write_bytes(bytes(30 * MB))
    mapped = """
import mmap, sys
file = open(sys.argv[1], "rb")
mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
"""
    base, base_but_files = measured(mapped, str(weights))
    own, own_but_files = measured(mapped + READ_ALL, str(weights))
    assert abs(own - base - 30 * MB) < NOISE_BYTES
    assert abs(own_but_files - base_but_files) < NOISE_BYTES


@linux
def test_a_mapped_program_counts_only_what_was_written_to_it(tmp_path: Path) -> None:
    program = tmp_path / "library.so"
    program.write_bytes(bytes(30 * MB))
    mapped = """
import mmap, sys
file = open(sys.argv[1], "rb")
run = mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
"""
    base, _ = measured(mapped, str(program))
    read, _ = measured(mapped + READ_ALL, str(program))
    written, _ = measured(mapped + "mapped[: 10_000_000] = b'x' * 10_000_000", str(program))
    assert abs(read - base) < NOISE_BYTES
    assert abs(written - base - 10 * MB) < NOISE_BYTES


def test_a_process_that_has_ended_is_told() -> None:
    with running("") as process:
        pass
    with pytest.raises(psutil.NoSuchProcess):
        own_bytes(process)


def test_where_mappings_are_not_told_apart_what_is_shared_with_nobody_counts() -> None:
    elsewhere: Any = SimpleNamespace(pid=0, memory_full_info=lambda: SimpleNamespace(rss=9, uss=5))
    nothing_told: Any = SimpleNamespace(pid=0, memory_full_info=lambda: SimpleNamespace(rss=9))
    assert own_bytes(elsewhere) == 5
    assert own_bytes(nothing_told) == 9
    unshared: Any = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=9))
    assert own_bytes_but_files(unshared) == 9
