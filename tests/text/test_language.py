"""Detectors: the real model on short and long lines, scripts, and what is never loaded."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from alltalk_plugin.domain.language import LanguageTag
from alltalk_plugin.settings.schema import LanguageSettings
from alltalk_plugin.text.everyday import weights
from alltalk_plugin.text.language import LangidDetector, NoDetector
from alltalk_plugin.text.scripts import letters_by_script, written_in

CANDIDATES = LanguageSettings().candidates


@pytest.fixture(scope="module")
def detector() -> LangidDetector:
    return LangidDetector()


LINES = [
    ("en", "I left the keys on the kitchen table."),
    ("de", "Ich habe die Schlüssel auf dem Tisch liegen lassen."),
    ("fr", "J'ai laissé les clés sur la table de la cuisine."),
    ("es", "Dejé las llaves en la mesa de la cocina."),
    ("it", "Ho lasciato le chiavi sul tavolo della cucina."),
    ("pt", "Deixei as chaves em cima da mesa da cozinha."),
    ("nl", "Ik heb de sleutels op de keukentafel laten liggen."),
    ("pl", "Zostawiłem klucze na stole w kuchni."),
    ("tr", "Anahtarları mutfak masasının üzerinde bıraktım."),
    ("cs", "Nechal jsem klíče na kuchyňském stole."),
    ("hu", "A konyhaasztalon hagytam a kulcsokat."),
    ("en", "Sorry, what?"),
    ("de", "Na klar, gerne!"),
    ("fr", "Bonsoir à tous"),
    ("es", "¿Por qué no?"),
    ("it", "Buonasera, signora."),
    ("pt", "Boa noite."),
    ("nl", "Natuurlijk wel."),
    ("pl", "Oczywiście."),
    ("tr", "Günaydın!"),
    ("cs", "Dobrou noc."),
    ("hu", "Jó reggelt!"),
]


@pytest.mark.parametrize(("language", "line"), LINES)
def test_the_model_names_the_language_of_a_line(detector: LangidDetector, language: str, line: str) -> None:
    latin = written_in("latin", CANDIDATES)
    found = detector.detect(line, latin)
    assert found is not None
    assert (found.language, found.probability > 0.3) == (language, True)


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("ru", "Я оставил ключи на столе."),
        ("uk", "Я залишив ключі на столі."),
        ("ru", "Доброй ночи, конечно."),
        ("uk", "Добрий вечір, звісно."),
    ],
)
def test_neighbours_in_one_script_are_told_apart(detector: LangidDetector, language: str, line: str) -> None:
    found = detector.detect(line, written_in("cyrillic", CANDIDATES))
    assert found is not None
    assert found.language == language


@pytest.mark.parametrize("line", ["OK.", "Haha!", "Hmm...", "LOL", "Max?", "Anna.", "12345"])
def test_a_line_without_evidence_is_improbable_in_every_language(detector: LangidDetector, line: str) -> None:
    found = detector.detect(line, CANDIDATES)
    assert found is None or found.probability < 0.3


def test_the_answer_is_the_candidates_own_tag(detector: LangidDetector) -> None:
    found = detector.detect("Deixei as chaves na cozinha.", (LanguageTag("pt-BR"), LanguageTag("en")))
    assert found is not None
    assert found.language == "pt-BR"


def test_candidates_the_model_does_not_know_give_no_answer(detector: LangidDetector) -> None:
    assert detector.detect("Hello there", (LanguageTag("xx"), LanguageTag("yy"))) is None


def test_the_model_is_not_loaded_for_one_candidate_or_by_importing() -> None:
    code = (
        "import sys\n"
        "from alltalk_plugin.domain.language import LanguageTag\n"
        "from alltalk_plugin.text.language import LangidDetector\n"
        "import alltalk_plugin.text.prepare\n"
        "found = LangidDetector().detect('Hello', (LanguageTag('en'),))\n"
        "assert found.probability == 1.0\n"
        "assert 'py3langid' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_detection_waits_for_a_model_that_is_being_loaded() -> None:
    cold = LangidDetector()
    cold.warm()
    found = cold.detect("I left the keys at home.", CANDIDATES)
    assert found is not None
    assert found.language == "en"


def test_many_threads_get_the_same_answers(detector: LangidDetector) -> None:
    answers: dict[int, list[str | None]] = {}

    def ask(number: int) -> None:
        found = [
            detector.detect(line, CANDIDATES[number % 3 :] if language in CANDIDATES[3:] else CANDIDATES)
            for language, line in LINES
        ]
        answers[number] = [each.language if each else None for each in found]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answer == [language for language, _ in LINES] for answer in answers.values())
    assert len(answers) == 6


def test_no_detector_knows_nothing() -> None:
    assert NoDetector().detect("Hello there, my friend", CANDIDATES) is None


def test_words_and_letters_weigh_for_their_languages() -> None:
    german, french = weights("Danke schön", ("de", "fr"))
    assert german > french
    polish, english = weights("łódź", ("pl", "en"))
    assert polish > english


def test_a_long_text_speaks_for_itself() -> None:
    assert set(weights("danke " * 20, ("de", "fr"))) == {1.0}


@pytest.mark.parametrize(
    ("char", "script"),
    [
        ("a", "latin"),
        ("ß", "latin"),
        ("я", "cyrillic"),
        ("Ω", "greek"),
        ("ע", "hebrew"),
        ("ع", "arabic"),
        ("न", "devanagari"),
        ("ก", "thai"),
        ("你", "han"),
        ("の", "kana"),
        ("ー", "kana"),
        ("한", "hangul"),
        ("5", None),
        ("!", None),
        ("。", None),
    ],
)
def test_letters_belong_to_scripts(char: str, script: str | None) -> None:
    assert list(letters_by_script(char)) == ([script] if script else [])


def test_a_script_narrows_the_candidates() -> None:
    assert written_in("cyrillic", CANDIDATES) == ("ru", "uk")
    assert written_in("arabic", CANDIDATES) == ("ar",)
    assert set(written_in("han", CANDIDATES)) == {"zh", "ja"}
    assert "ru" not in written_in("latin", CANDIDATES)
