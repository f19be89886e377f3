"""`python -m bench [NAME ...]`: run the named measurements, all of them without a name."""

from __future__ import annotations

import sys

from bench import first_audio, host_output, journal_replay, remote, text
from bench.neural import boundary, cast, servers, switching
from bench.report import save_and_print
from bench.swap import faked as swap_faked
from bench.swap import measure as swap
from bench.swap import real as swap_real

MEASUREMENTS = {
    "first_audio": first_audio.measure,
    "host_output": host_output.measure,
    "journal_replay": journal_replay.measure,
    "neural_boundary": boundary.measure,
    "neural_servers": servers.measure,
    "neural_swap": cast.measure,
    "neural_switch": switching.measure,
    "remote": remote.measure,
    "swap": swap.measure,
    "swap_faked": swap_faked.measure,
    "swap_on_workers": swap.measure_on_workers,
    "swap_real": swap_real.measure,
    "text": text.measure,
}


def main() -> None:
    names = sys.argv[1:] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
    for name in names:
        save_and_print(name, MEASUREMENTS[name]())


if __name__ == "__main__":
    main()
