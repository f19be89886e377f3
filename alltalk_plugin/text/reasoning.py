"""Thinking blocks, in every form that today's models and chat templates leave in a reply.

| family | opens | closes |
| --- | --- | --- |
| most | `<think>` `<thinking>` `<thought>` `<reasoning>` `<seed:think>` | the same with `/` |
| GPT-OSS | `<|channel|>analysis`, `<|channel|>commentary` | `<|end|>` or `<|channel|>final<|message|>` |
| Gemma | `<|channel>thought` | `<channel|>` |
| Solar | `<|think|>` | `<|end|>` or `<|content|>` |
| Magistral | `[THINK]` | `[/THINK]` |

The tags may be HTML-escaped. A closer without an opener means that the chat template had opened the
block: everything before it is reasoning. A tag between backticks is being talked about.
"""

from __future__ import annotations

import re

_TAG = r"(?:seed:)?think(?:ing)?|thought|reasoning"
_OPEN = re.compile(
    rf"""(?:<|&lt;)(?P<tag>{_TAG})(?:\s[^<>&]{{0,60}})?(?:>|&gt;)
    | <\|channel\|>\s*(?P<harmony>analysis|commentary)\b[^<]{{0,60}}(?:<\|message\|>)?
    | <\|channel>\s*(?P<gemma>thought)\b
    | <\|(?P<solar>think)\|>
    | \[(?P<magistral>THINK)\]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CLOSERS = {
    "harmony": re.compile(r"<\|end\|>|<\|channel\|>\s*final\s*<\|message\|>", re.IGNORECASE),
    "gemma": re.compile(r"<channel\|>", re.IGNORECASE),
    "solar": re.compile(r"<\|end\|>|<\|content\|>", re.IGNORECASE),
    "magistral": re.compile(r"\[/THINK\]", re.IGNORECASE),
}
LONE_CLOSER = re.compile(
    rf"(?:<|&lt;)/(?:{_TAG})\s*(?:>|&gt;)|<channel\|>|<\|channel\|>\s*final\s*<\|message\|>|\[/THINK\]",
    re.IGNORECASE,
)
"""What ends reasoning whose beginning was not seen."""

LONGEST_TAG = 120
"""No opener or closer is longer (characters)."""


def opening(text: str, at: int) -> tuple[int, re.Pattern[str]] | None:
    """Where the block's content begins and what closes it, if a block opens exactly at `at`."""
    match = _OPEN.match(text, at)
    if match is None:
        return None
    family = match.lastgroup or ""
    if family != "tag":
        return match.end(), _CLOSERS[family]
    tag = re.escape(match["tag"])
    return match.end(), re.compile(rf"(?:<|&lt;)/{tag}\s*(?:>|&gt;)", re.IGNORECASE)


_MAY_BEGIN = re.compile(
    r"<(?:/?[a-z:]{0,14}\s*|/?[a-z:]{3,14}\s[^<>&]{0,60}|\|[a-z|]{0,10}>?[\sa-z]{0,20}(?:<\|?[a-z]{0,8}\|?)?|channel\|?)\Z"
    r"|&(?:l|lt|lt;/?[a-z:]{0,14}\s*(?:&g?t?)?)?\Z|\[/?[a-z]{0,5}\Z",
    re.IGNORECASE,
)


def may_begin(text: str, at: int) -> bool:
    """Whether what stands at `at` until the end of the text could still grow into a tag of reasoning."""
    return _MAY_BEGIN.match(text, at, at + LONGEST_TAG) is not None
