from __future__ import annotations

import io

from alltalk_plugin.cli.byte_progress import ByteProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_when_on_a_terminal_then_one_line_that_changes() -> None:
    out = Terminal()
    progress = ByteProgress("fetching", out)
    progress(400_000)
    assert out.getvalue() == ""
    progress(700_000)
    progress.expect(63_000_000)
    progress(10_000_000)
    progress.close()
    assert out.getvalue() == "\rfetching: 1 MB\rfetching: 11 of 63 MB\n"


def test_progress_when_a_server_starts_over_then_the_number_goes_back() -> None:
    out = Terminal()
    progress = ByteProgress("fetching", out)
    for more_bytes in (50_000_000, -50_000_000, 2_000_000):
        progress(more_bytes)
    assert out.getvalue() == "\rfetching: 50 MB\rfetching: 0 MB \rfetching: 2 MB "


def test_progress_when_written_to_a_file_then_a_line_now_and_then() -> None:
    out = io.StringIO()
    progress = ByteProgress("reading", out)
    for _ in range(250):
        progress(1_000_000)
    progress.close()
    assert out.getvalue() == "reading: 100 MB\nreading: 200 MB\n"
