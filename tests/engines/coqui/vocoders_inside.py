"""Makes the sound of one spectrogram with each convolutional vocoder, whole and in windows.

vocoders_inside.py ANSWER; run by the interpreter of the engine's environment. Writes how far the windows are
from the whole, how far they would be with less around them, and whether windows were allowed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

from alltalk_plugin.engines.coqui import shims

HIFIGAN = {
    "in_channels": 80,
    "out_channels": 1,
    "resblock_type": "1",
    "resblock_dilation_sizes": [[1, 3, 5]] * 3,
    "resblock_kernel_sizes": [3, 7, 11],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 64,
    "upsample_factors": [8, 8, 2, 2],
}
FRAMES = 700


def main(answer: Path) -> None:
    shims.install()  # before anything imports TTS
    import torch
    from TTS.vocoder.models.fullband_melgan_generator import FullbandMelganGenerator
    from TTS.vocoder.models.hifigan_generator import HifiganGenerator
    from TTS.vocoder.models.melgan_generator import MelganGenerator
    from TTS.vocoder.models.multiband_melgan_generator import MultibandMelganGenerator

    from alltalk_plugin.engines.coqui import decoding

    other_blocks = {"resblock_type": "2", "resblock_dilation_sizes": [[1, 2], [2, 6], [3, 12]]}
    torch.manual_seed(0)
    generators = {
        "melgan": MelganGenerator(base_channels=64),
        "fullband": FullbandMelganGenerator(base_channels=64),
        "multiband": MultibandMelganGenerator(base_channels=64),
        "odd factors": MelganGenerator(base_channels=64, upsample_factors=(5, 5, 3, 2)),
        "hifigan 1": HifiganGenerator(**HIFIGAN),
        "hifigan 2": HifiganGenerator(**{**HIFIGAN, **other_blocks}),
        "uneven": HifiganGenerator(**{**HIFIGAN, "upsample_kernel_sizes": [15, 16, 4, 4]}),
    }
    found = []
    for name, generator in generators.items():
        generator.eval()
        if not decoding.can_be_windowed(generator):
            found.append({"name": name, "windowed": False})
            continue
        with torch.no_grad():
            for weights in generator.parameters():
                weights.mul_(1.3)  # random weights whisper, and would hide a wrong edge
            spectrogram = torch.randn(1, 80, FRAMES)
            whole = generator.inference(spectrogram)[0, 0]
        vocoder = decoding.WindowedVocoder(generator)
        pieces = list(vocoder.sound(spectrogram))
        vocoder._windows.context = 0
        blind = torch.cat(list(vocoder.sound(spectrogram)))
        one = {"name": name, "windowed": True, "pieces": len(pieces)}
        one["apart"] = float((torch.cat(pieces) - whole).abs().max())
        one["blind"] = float((blind - whole).abs().max())
        found.append(one)
    answer.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
