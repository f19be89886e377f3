"""Piper's and Coqui's catalogues as they are published, with self-made models behind them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

from tests.fakes.file_server import FileServer
from tests.fakes.light_engines import HEADER, WEIGHTS

WEIGHTS_CONTENT = bytes(range(256)) * 1_000
MODEL_CARD = b"# Model card for amy (low)\n\n* Language: en_US\n\n## Dataset\n\n* License: CC0, see URL\n"
PIPER_KEY = "en_US-amy-low"


def serve_piper(server: FileServer, *, header: dict[str, Any] | None = None) -> str:
    """`voices.json` and the files of one voice; gives the catalogue's address.

    The light engine reads `model.json` and `weights.bin`, so these stand for the .onnx and its JSON.
    """
    folder = "en/en_US/amy/low"
    contents = {
        HEADER: json.dumps(header or {"kind": "piper", "languages": ["en"]}).encode(),
        WEIGHTS: WEIGHTS_CONTENT,
        "MODEL_CARD": MODEL_CARD,
    }
    for name, content in contents.items():
        server.put(f"/piper/{folder}/{name}", content)
    voices = {
        PIPER_KEY: {
            "key": PIPER_KEY,
            "name": "amy",
            "language": {"code": "en_US", "family": "en", "region": "US", "name_english": "English"},
            "quality": "low",
            "num_speakers": 1,
            "speaker_id_map": {},
            "files": {
                f"{folder}/{name}": {
                    "size_bytes": len(content),
                    "md5_digest": hashlib.md5(content, usedforsecurity=False).hexdigest(),
                }
                for name, content in contents.items()
            },
            "aliases": ["en-us-amy-low"],
        }
    }
    return server.put("/piper/voices.json", json.dumps(voices).encode())


def zipped(folder: str, **header: Any) -> bytes:
    """A model as Coqui publishes them: a zip with one folder in it."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(f"{folder}/{HEADER}", json.dumps(header))
        archive.writestr(f"{folder}/{WEIGHTS}", WEIGHTS_CONTENT)
    return memory.getvalue()


def serve_coqui(server: FileServer) -> str:
    """`.models.json` with a gated model of single files, a zip, and one that wants a vocoder."""
    for name, content in ((HEADER, b'{"kind": "xtts", "clones": true}'), (WEIGHTS, WEIGHTS_CONTENT)):
        server.put(f"/hf/XTTS-v2/resolve/main/{name}", content)
    vits = server.put(
        "/releases/tts_models--en--lj--vits.zip", zipped("tts_models--en--lj--vits", kind="vits")
    )
    glow = server.put("/releases/glow.zip", zipped("glow", kind="glow"))
    vocoder = server.put("/releases/hifigan.zip", zipped("hifigan", kind="hifigan"))
    xtts = {
        "description": "XTTS with 17 languages.",
        "hf_url": [f"{server.url}/hf/XTTS-v2/resolve/main/{name}" for name in (HEADER, WEIGHTS)],
        "default_vocoder": None,
        "license": "CPML",
        "tos_required": True,
    }
    catalogue = {
        "tts_models": {
            "multilingual": {"multi-dataset": {"xtts_v2": xtts}},
            "en": {
                "lj": {
                    "vits--neon": {"github_rls_url": vits, "license": "bsd-3-clause"},
                    "vits": {"github_rls_url": vits, "default_vocoder": None, "license": "apache 2.0"},
                    "glow-tts": {
                        "github_rls_url": glow,
                        "default_vocoder": "vocoder_models/en/lj/hifigan_v2",
                        "license": "MPL",
                    },
                    "nowhere": {"license": "MIT"},
                }
            },
        },
        "vocoder_models": {"en": {"lj": {"hifigan_v2": {"github_rls_url": vocoder, "license": "MIT"}}}},
    }
    return server.put("/coqui/.models.json", json.dumps(catalogue).encode())
