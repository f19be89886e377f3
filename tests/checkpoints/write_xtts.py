"""Writes tiny real XTTS v2 models with the library's own classes and random weights.

Run by the interpreter of the engine's environment: write_xtts.py FOLDER

The vocoder and the speaker encoder have one size only, so the smallest model takes 92 MB.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from alltalk_plugin.engines.coqui import shims

shims.install()

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn.functional import normalize
from TTS.tts.configs.xtts_config import XttsArgs, XttsAudioConfig, XttsConfig
from TTS.tts.models.xtts import Xtts

SPEAKERS = ("Ada Frost", "Ben Hill")
LANGUAGES = [
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "pl",
    "tr",
    "ru",
    "nl",
    "cs",
    "ar",
    "zh-cn",
    "hu",
    "ko",
    "ja",
    "hi",
]
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéèêàçñáíóúãõабвгдежзийклмнопрстуфхцчшщъыьэюя!'(),-.:;?0123456789"
SPECIAL = ["[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{code}]" for code in LANGUAGES)]
WIDTH, LAYERS = 64, 2
AUDIO_TOKENS = 64
UTTERANCE_TOKENS = 16
"""0.7 s of speech: the vocoder is of full size, and a busy core decodes slower than one listens."""
NEVER = -1e4
"""On the token that ends an utterance: every one is as long as it may be, so that lengths can be compared."""
AUDIBLE = 4.0
"""Random weights whisper at 0.003 of full scale; the last layer times this is heard."""


def xtts(folder: Path) -> Xtts:
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    write_vocabulary(folder / "vocab.json")
    arguments = XttsArgs(
        gpt_layers=LAYERS,
        gpt_n_model_channels=WIDTH,
        gpt_n_heads=4,
        decoder_input_dim=WIDTH,
        gpt_max_audio_tokens=UTTERANCE_TOKENS,
        gpt_max_text_tokens=402,
        gpt_max_prompt_tokens=70,
        gpt_number_text_tokens=len(SPECIAL) + len(LETTERS),
        gpt_start_text_token=SPECIAL.index("[START]"),
        gpt_stop_text_token=SPECIAL.index("[STOP]"),
        gpt_num_audio_tokens=AUDIO_TOKENS + 2,
        gpt_start_audio_token=AUDIO_TOKENS,
        gpt_stop_audio_token=AUDIO_TOKENS + 1,
        gpt_use_perceiver_resampler=True,
    )
    config = XttsConfig(model_args=arguments, languages=LANGUAGES)
    model = Xtts(config)
    with torch.no_grad():
        model.gpt.mel_head.bias[AUDIO_TOKENS + 1] = NEVER
        model.hifigan_decoder.waveform_decoder.conv_post.weight.mul_(AUDIBLE)
    config.save_json(str(folder / "config.json"))
    save_as_published(folder / "model.pth", config, model)
    torch.save({name: speaker() for name in SPEAKERS}, folder / "speakers_xtts.pth")
    return model


def save_as_published(path: Path, config: XttsConfig, model: Xtts) -> None:
    """With the configuration as objects, under the names that their classes had when XTTS came out."""
    XttsArgs.__module__ = XttsAudioConfig.__module__ = "TTS.tts.models.xtts"
    torch.save({"model": model.state_dict(), "config": config}, path)


def write_vocabulary(path: Path) -> None:
    """Every letter a token: 402 of them are a short paragraph."""
    words = [*SPECIAL, *LETTERS]
    tokenizer = Tokenizer(
        models.BPE({word: index for index, word in enumerate(words)}, [], unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(path))


def speaker() -> dict[str, torch.Tensor]:
    return {
        "gpt_cond_latent": torch.randn(1, 32, WIDTH),
        "speaker_embedding": normalize(torch.randn(1, 512, 1), dim=1),
    }


def as_safetensors(folder: Path, source: Path, model: Xtts) -> None:
    """The same model in the other format, and without speakers of its own."""
    folder.mkdir(parents=True)
    for name in ("config.json", "vocab.json"):
        shutil.copy(source / name, folder)
    save_file(model.state_dict(), folder / "model.safetensors")


def main(folder: Path) -> None:
    as_safetensors(folder / "xtts_alone", folder / "xtts", xtts(folder / "xtts"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
