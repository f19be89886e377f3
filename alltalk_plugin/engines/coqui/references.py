"""Reference audio of a cloned voice: judged and cut before a model hears it. Needs numpy and soundfile.

| what | number | where it is from |
| --- | --- | --- |
| refused below | 1 s | the library takes 0.33 s, which is one syllable |
| warned below | 3 s | the library's own documentation ("should be >3 seconds long") |
| warned above | 30 s | the published XTTS v2 listens to the first 30 s (`max_ref_len`) |
| silence, at both ends | 40 dB under the loudest 20 ms | rooms lie lower, quiet ends of words do not |
| refused as silent | loudest 20 ms under -50 dBFS | what is left then is noise of the recorder |
| warned as quiet | level under -35 dBFS | XTTS copies the level of what it hears |
| refused as clipped | a fifth of the samples at full height | clean speech, turned up by 20 dB too much |
| warned as clipped | a hundredth | the same, by 6 dB; clean speech has none |

The shares of clipping were measured on speech of eSpeak NG, 2026-11-22.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alltalk_plugin.audio.measure import peak, rms_dbfs
from alltalk_plugin.domain.audio import Samples
from alltalk_plugin.domain.errors import ReferenceUnusable

SHORTEST_S = 1.0
SHORT_S = 3.0
LONG_S = 30.0
MOST_READ_S = 120.0
"""Nothing later can matter, and a whole audio book would fill the memory."""
FRAME_S = 0.02
KEPT_S = 0.1
"""Left before and after the speech: breath and room belong to a voice."""
SILENCE_DB = 40.0
SILENT_DBFS = -50.0
QUIET_DBFS = -35.0
FULL_HEIGHT = 0.999
"""Of the peak: clipping makes plateaus, whatever level the file was brought to afterwards."""
CLIPPED_SHARE, DISTORTED_SHARE = 0.2, 0.01


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """What can be said of a usable recording.

    duration_s: of the file. trimmed_s: of what is left without the silence at its ends.
    peak, level_dbfs: of what is left, mixed to one channel; full scale is 1 and 0 dBFS.
    warnings: sentences for the user; empty when it is a good recording.
    """

    duration_s: float
    trimmed_s: float
    peak: float
    level_dbfs: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A recording as a model may hear it: mono, without silence at its ends."""

    samples: Samples
    sample_rate_hz: int
    report: ReferenceReport


def check_reference(path: Path) -> ReferenceReport:
    """Whether a file can be cloned from. Raises: ReferenceUnusable, with the reason."""
    return read_reference(path).report


def read_reference(path: Path) -> Reference:
    """A file, judged and cut. Reads `MOST_READ_S` at most. Raises: ReferenceUnusable, with the reason."""
    import soundfile

    if not path.is_file():
        raise _unusable(path, "there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz, duration_s = int(file.samplerate), file.frames / file.samplerate
            channels = file.read(round(MOST_READ_S * rate_hz), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unusable(path, f"it is no audio that can be read ({error})") from error
    return judged(channels, rate_hz, path=path, duration_s=duration_s)


def judged(
    channels: npt.NDArray[np.float32], sample_rate_hz: int, *, path: Path, duration_s: float
) -> Reference:
    """A recording of shape (samples, channels), judged and cut. Raises: ReferenceUnusable."""
    if not np.isfinite(channels).all():
        raise _unusable(path, "it holds numbers that are no audio (not finite)")
    mono = channels.mean(axis=1, dtype=np.float32)
    loudest = _loudest_dbfs(mono, sample_rate_hz)
    if loudest < SILENT_DBFS:
        cancelled = max(_loudest_dbfs(one, sample_rate_hz) for one in channels.T) >= SILENT_DBFS
        raise _unusable(path, "its channels cancel each other" if cancelled else "it is silent")
    samples = trimmed(mono, sample_rate_hz)
    trimmed_s = len(samples) / sample_rate_hz
    if trimmed_s < SHORTEST_S:
        raise _unusable(path, f"it holds {trimmed_s:.1f} s of sound, {SHORTEST_S:g} s are the least")
    clipped = clipped_share(samples)
    if clipped > CLIPPED_SHARE:
        raise _unusable(path, f"it is clipped: {clipped:.0%} of it is at full height")
    level = rms_dbfs(samples)
    return Reference(
        samples=samples,
        sample_rate_hz=sample_rate_hz,
        report=ReferenceReport(
            duration_s=duration_s,
            trimmed_s=trimmed_s,
            peak=peak(samples),
            level_dbfs=level,
            warnings=tuple(_warnings(trimmed_s, clipped, level)),
        ),
    )


def trimmed(samples: Samples, sample_rate_hz: int) -> Samples:
    """Without the silence at both ends."""
    levels = _frame_levels(samples, sample_rate_hz)
    loud = np.flatnonzero(levels >= levels.max(initial=0.0) * 10 ** (-SILENCE_DB / 20))
    if not len(loud):
        return samples[:0]
    frame, kept = _frame(sample_rate_hz), round(KEPT_S * sample_rate_hz)
    return samples[max(0, int(loud[0]) * frame - kept) : (int(loud[-1]) + 1) * frame + kept]


def clipped_share(samples: Samples) -> float:
    """The share of samples at full height."""
    highest = peak(samples)
    return float((np.abs(samples) >= FULL_HEIGHT * highest).mean()) if highest else 0.0


def _warnings(trimmed_s: float, clipped: float, level_dbfs: float) -> list[str]:
    said = []
    if trimmed_s < SHORT_S:
        said.append(f"{trimmed_s:.1f} s are short: {SHORT_S:g} s or more sound more like the speaker")
    if trimmed_s > LONG_S:
        said.append(f"only the first {LONG_S:g} s are listened to")
    if clipped > DISTORTED_SHARE:
        said.append(f"it is distorted: {clipped:.0%} of it is at full height")
    if level_dbfs < QUIET_DBFS:
        said.append(f"it is quiet ({level_dbfs:.0f} dBFS), and so will be the voice")
    return said


def _loudest_dbfs(samples: Samples, sample_rate_hz: int) -> float:
    level = float(_frame_levels(samples, sample_rate_hz).max(initial=0.0))
    return 20 * math.log10(level) if level else -math.inf


def _frame_levels(samples: Samples, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """The root mean square of each 20 ms; the rest at the end counts with the last."""
    frame = _frame(sample_rate_hz)
    starts = np.arange(max(1, len(samples) // frame)) * frame
    squares = np.square(samples, dtype=np.float64)
    if not len(squares):
        return squares
    lengths = np.diff(np.append(starts, len(samples)))
    levels: npt.NDArray[np.float64] = np.sqrt(np.add.reduceat(squares, starts) / lengths)
    return levels


def _frame(sample_rate_hz: int) -> int:
    return max(1, round(FRAME_S * sample_rate_hz))


def _unusable(path: Path, reason: str) -> ReferenceUnusable:
    return ReferenceUnusable(
        f"{path.name} cannot be cloned from: {reason}", context={"path": str(path), "reason": reason}
    )
