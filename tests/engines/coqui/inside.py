"""What becomes of many loads and texts, tried in one process of the engine's environment.

Run by its interpreter; reads a list of cases as JSON from standard input, and writes for each what came of
it: seconds of audio, or the code, hint and context of the error. A case: path, and as wanted device, options,
text, language, speaker, references.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent.parent))

from alltalk_plugin.domain.engines import LoadRequest, SynthesisRequest
from alltalk_plugin.domain.errors import AlltalkError
from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.domain.models import Device
from alltalk_plugin.engines.coqui.engine import create


class Going:
    cancelled = False


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    request = LoadRequest(
        model="tried",
        path=Path(case["path"]) if case["path"] else None,
        device=Device(case.get("device", "cpu")),
        options=case.get("options", {}),
    )
    try:
        engine = create(request)
        try:
            text = SynthesisRequest(
                text=case.get("text", "A short test."),
                language=LanguageTag(case["language"]) if "language" in case else None,
                speaker=case.get("speaker"),
                reference_audio=tuple(Path(path) for path in case.get("references", ())),
                rate=case.get("rate", 1.0),
            )
            chunks = list(engine.synthesize(text, Going()))
        finally:
            engine.close()
    except AlltalkError as error:
        return {"error": error.code, "message": error.message, "hint": error.hint, "context": error.context}
    samples = [float(one) for chunk in chunks for one in chunk.samples[::400]]
    return {
        "error": None,
        "seconds": sum(chunk.duration_s for chunk in chunks),
        "pieces": len(chunks),
        "samples": samples,
    }


if __name__ == "__main__":
    found = [outcome(case) for case in json.load(sys.stdin)]
    Path(sys.argv[1]).write_text(json.dumps(found))
