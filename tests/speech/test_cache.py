"""What was spoken lately."""

from __future__ import annotations

import numpy as np

from alltalk_plugin.domain.audio import AudioChunk
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.models import ModelKey, ModelRef
from alltalk_plugin.speech.cache import UtteranceCache

MODEL = ModelKey("tone", ModelRef("a"), "1")


def chunks(samples: int) -> tuple[AudioChunk, ...]:
    return (AudioChunk(np.zeros(samples, np.float32), 16_000),)


def test_get_when_the_same_model_is_asked_the_same_then_what_was_put() -> None:
    cache = UtteranceCache(10_000)
    made = chunks(10)
    cache.put(MODEL, SynthesisRequest(text="hello"), made)
    assert cache.get(MODEL, SynthesisRequest(text="hello")) is made


def test_get_when_text_rate_or_revision_differ_then_nothing() -> None:
    cache = UtteranceCache(10_000)
    cache.put(MODEL, SynthesisRequest(text="hello"), chunks(10))
    assert cache.get(MODEL, SynthesisRequest(text="hello!")) is None
    assert cache.get(MODEL, SynthesisRequest(text="hello", rate=1.1)) is None
    assert cache.get(ModelKey("tone", ModelRef("a"), "2"), SynthesisRequest(text="hello")) is None


def test_put_when_full_then_the_least_used_goes() -> None:
    cache = UtteranceCache(3 * 40)  # three utterances of ten float32 samples
    for text in ("one", "two", "three"):
        cache.put(MODEL, SynthesisRequest(text=text), chunks(10))
    cache.get(MODEL, SynthesisRequest(text="one"))
    cache.put(MODEL, SynthesisRequest(text="four"), chunks(10))
    kept = [text for text in ("one", "two", "three", "four") if cache.get(MODEL, SynthesisRequest(text=text))]
    assert kept == ["one", "three", "four"]


def test_put_when_larger_than_the_whole_cache_then_nothing_is_pushed_out() -> None:
    cache = UtteranceCache(40)
    cache.put(MODEL, SynthesisRequest(text="small"), chunks(10))
    cache.put(MODEL, SynthesisRequest(text="large"), chunks(11))
    assert cache.get(MODEL, SynthesisRequest(text="large")) is None
    assert cache.get(MODEL, SynthesisRequest(text="small")) is not None


def test_put_when_the_same_is_put_twice_then_its_size_counts_once() -> None:
    cache = UtteranceCache(80)
    for _ in range(5):
        cache.put(MODEL, SynthesisRequest(text="same"), chunks(10))
    cache.put(MODEL, SynthesisRequest(text="other"), chunks(10))
    assert cache.get(MODEL, SynthesisRequest(text="same")) is not None
