"""Writes tiny real checkpoints with Coqui's own classes and random weights.

Run by the interpreter of the engine's environment: write_coqui.py FOLDER NAME…
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from alltalk_plugin.engines.coqui import shims

shims.install()

import torch
from safetensors.torch import save_file
from TTS.config.shared_configs import BaseAudioConfig
from TTS.tts.configs.glow_tts_config import GlowTTSConfig
from TTS.tts.configs.shared_configs import BaseTTSConfig, CharactersConfig
from TTS.tts.configs.tacotron2_config import Tacotron2Config
from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
from TTS.tts.models.base_tts import BaseTTS
from TTS.tts.models.glow_tts import GlowTTS
from TTS.tts.models.tacotron2 import Tacotron2
from TTS.tts.models.vits import Vits
from TTS.vocoder.configs import MelganConfig
from TTS.vocoder.models.gan import GAN

from alltalk_plugin.engines.coqui import phonemes

phonemes.install()

SPEAKERS = ["Ada", "Ben", "Cleo", "Dan"]
LANGUAGES = ["en", "de", "fr-fr"]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzäöüßéèêàçñáíóúãõ0123456789"


def characters() -> CharactersConfig:
    return CharactersConfig(
        characters_class="TTS.tts.utils.text.characters.Graphemes",
        pad="_",
        eos="~",
        bos="^",
        blank="@",
        characters=LETTERS,
        punctuations="!'(),-.:;? ",
        phonemes=None,
    )


def vits(
    folder: Path,
    *,
    speakers: bool = False,
    languages: bool = False,
    whole: bool = False,
    espeak: str = "",
) -> None:
    """`whole`: the size of a published model, without a discriminator (141 MB). `espeak`: the language in
    whose phonemes it speaks."""
    small = (
        {}
        if whole
        else {
            "hidden_channels": 32,
            "hidden_channels_ffn_text_encoder": 64,
            "num_layers_text_encoder": 2,
            "num_layers_posterior_encoder": 2,
            "num_layers_flow": 2,
            "upsample_initial_channel_decoder": 32,
            "resblock_kernel_sizes_decoder": [3],
            "resblock_dilation_sizes_decoder": [[1, 3, 5]],
        }
    )
    arguments = VitsArgs(use_sdp=False, init_discriminator=False, length_scale=3.0, **small)
    config = VitsConfig(
        model_args=arguments,
        audio=BaseAudioConfig(sample_rate=22_050, do_trim_silence=False),
        use_phonemes=bool(espeak),
        phonemizer="espeak" if espeak else None,
        phoneme_language=espeak or None,
        text_cleaner="basic_cleaners",
        add_blank=True,
        characters=None if espeak else characters(),
        test_sentences=[],
        languages=LANGUAGES if languages else [espeak or "en"],
    )
    if speakers:
        arguments.use_speaker_embedding = config.use_speaker_embedding = True
        arguments.speaker_embedding_channels = 16
        arguments.num_speakers = config.num_speakers = len(SPEAKERS)
        config.speakers = SPEAKERS
    if languages:
        arguments.use_language_embedding = config.use_language_embedding = True
    model = Vits(config)
    louder(model.waveform_decoder.conv_post, 4.0 if speakers or whole else 60.0)
    save(folder, config, model)


def glow(folder: Path) -> None:
    config = GlowTTSConfig(
        audio=BaseAudioConfig(do_trim_silence=False),
        use_phonemes=False,
        text_cleaner="basic_cleaners",
        characters=characters(),
        add_blank=False,
        test_sentences=[],
        languages=["en"],
    )
    encoder = {
        "kernel_size": 3,
        "dropout_p": 0.1,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_channels_ffn": 64,
        "input_length": None,
    }
    small = {
        "hidden_channels_enc": 32,
        "hidden_channels_dec": 32,
        "hidden_channels_dp": 32,
        "num_flow_blocks_dec": 2,
        "num_block_layers": 2,
        "encoder_params": encoder,
    }
    for key, value in small.items():
        for part in (config, config.model_args):
            if key in part:
                part[key] = value
    model = GlowTTS(config)
    with torch.no_grad():  # durations are exp(w) - 1: random weights would say nothing at all
        model.encoder.duration_predictor.proj.bias.fill_(1.9)
    save(folder, config, model)


def tacotron2(folder: Path) -> None:
    """Its widths are fixed, so it has 28 million numbers; random weights never find the end."""
    config = Tacotron2Config(
        audio=BaseAudioConfig(do_trim_silence=False),
        use_phonemes=False,
        text_cleaner="basic_cleaners",
        characters=characters(),
        test_sentences=[],
        languages=["en"],
        r=2,
        max_decoder_steps=60,
    )
    config.model_args.max_decoder_steps = 60
    model = Tacotron2(config)
    with torch.no_grad():
        model.decoder.stopnet[1].linear_layer.bias.fill_(-10.0)
    save(folder, config, model)


def melgan(folder: Path) -> None:
    """The vocoder beside a model of two parts."""
    config = MelganConfig()
    config.discriminator_model_params = {"base_channels": 4, "max_channels": 16, "downsample_factors": [4, 4]}
    config.generator_model_params = {**config.generator_model_params, "num_res_blocks": 1}
    model = GAN(config)
    louder(model.model_g.layers[-2], 60.0)
    config.save_json(str(folder / "vocoder_config.json"))
    torch.save({"model": model.state_dict()}, folder / "vocoder.pth")


def louder(layer: torch.nn.Module, factor: float) -> None:
    """Random weights whisper: a louder last layer is heard."""
    with torch.no_grad():
        for weights in layer.parameters():
            weights.mul_(factor)


def save(folder: Path, config: BaseTTSConfig, model: BaseTTS) -> None:
    config.save_json(str(folder / "config.json"))
    torch.save(
        {"model": model.state_dict(), "step": 0, "epoch": 0, "config": config.to_dict()}, folder / "model.pth"
    )


def vits_safetensors(folder: Path) -> None:
    vits(folder)
    state = torch.load(folder / "model.pth", weights_only=True)["model"]
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "model.safetensors")
    (folder / "model.pth").unlink()


def vits_nan(folder: Path) -> None:
    """One number of its weights is none."""
    vits(folder)
    state = torch.load(folder / "model.pth", weights_only=True)
    state["model"]["text_encoder.emb.weight"][0, 0] = float("nan")
    torch.save(state, folder / "model.pth")


def in_two_parts(first: Callable[[Path], None]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        first(folder)
        melgan(folder)

    return write


MODELS: dict[str, Callable[[Path], None]] = {
    "vits": vits,
    "vits_speakers": lambda folder: vits(folder, speakers=True),
    "vits_languages": lambda folder: vits(folder, speakers=True, languages=True),
    "vits_phonemes": lambda folder: vits(folder, espeak="de"),
    "vits_safetensors": vits_safetensors,
    "vits_nan": vits_nan,
    "vits_whole": lambda folder: vits(folder, whole=True),
    "glow": glow,
    "glow_melgan": in_two_parts(glow),
    "tacotron2_melgan": in_two_parts(tacotron2),
}


def main(folder: Path, names: list[str]) -> None:
    for name in names:
        torch.manual_seed(0)
        own = folder / name
        own.mkdir(parents=True)
        MODELS[name](own)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
