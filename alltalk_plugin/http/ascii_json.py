"""JSON that can carry any text a host may have."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse


class AsciiJson(JSONResponse):
    """ASCII with escapes: half a surrogate pair, which a model's tokens can leave behind, has no UTF-8."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
