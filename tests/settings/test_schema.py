"""Frozen sections and their units."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alltalk_plugin.settings.schema import Section, Settings, SpeechSettings


def sections() -> list[type[Section]]:
    return Section.__subclasses__()


def test_settings_when_changed_in_place_then_refused() -> None:
    for name in SpeechSettings.model_fields:
        with pytest.raises(ValidationError):
            setattr(Settings().speech, name, None)


def test_every_key_when_looked_at_then_has_a_description() -> None:
    missing = [
        f"{section.__name__}.{name}"
        for section in sections()
        for name, field in section.model_fields.items()
        if not field.description
        and not (isinstance(field.annotation, type) and issubclass(field.annotation, Section))
    ]
    assert missing == []


def test_defaults_when_taken_alone_then_valid() -> None:
    assert Settings.model_validate(Settings().model_dump()) == Settings()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), "nan"])
def test_number_when_not_finite_then_refused(number: object) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"speech": {"deadline_s": number}})
