"""Who says what: quotes, asterisks, dashes, names."""

from __future__ import annotations

import pytest

from alltalk_plugin.domain.speech import ReplyStyle, SpeakerRole
from alltalk_plugin.settings.schema import Narration, Unmarked
from alltalk_plugin.text.scanner import ScanRules
from tests.text.reading import read_whole, scan, script

QUOTES = [
    ('"Come in," she said. "Sit."', "C: Come in, | N: she said. | C: Sit."),
    ("“Come in,” she said.", "C: Come in, | N: she said."),
    ("« Entrez », dit-elle.", "C: Entrez | N: dit-elle."),
    ("„Herein!“ Sie nickt.", "C: Herein! | N: Sie nickt."),
    ('„Herein!" Sie nickt.', "C: Herein! | N: Sie nickt."),
    ("„Proszę wejść” – mówi.", "C: Proszę wejść | N: mówi."),
    ("»Kom ind,« siger hun.", "C: Kom ind, | N: siger hun."),
    ("”Kom in”, säger hon.", "C: Kom in | N: säger hon."),
    ("»Sisään», hän sanoo.", "C: Sisään | N: hän sanoo."),
    ("「入って」と彼女は言う。", "C: 入って | N: と彼女は言う。"),
    ("『入って』と言う。", "C: 入って | N: と言う。"),
    ("‘I can’t stay,’ she said.", "C: I can’t stay, | N: she said."),
    ("'I can't stay,' she said.", "C: I can't stay, | N: she said."),
    ("‘the word “no” is short,’ he said.", "C: the word no is short, | N: he said."),
    (
        "‘It was the dogs’ fault,’ he said. ‘Not mine.’",
        "C: It was the dogs’ fault, | N: he said. | C: Not mine.",
    ),
    ("‘I like dogs’ he said. ‘Cats too.’", "C: I like dogs | N: he said. | C: Cats too."),
    ("“She said ‘never’ twice,” he notes.", "C: She said ‘never’ twice, | N: he notes."),
    ('He said:"Now!"', "N: He said: | C: Now!"),
    ('Then—"what?"—he left.', "N: Then— | C: what? | N: he left."),
    ("&quot;Yes,&quot; he says.", "C: Yes, | N: he says."),
    ('\\"Yes,\\" he says.', "C: Yes, | N: he says."),
]

NOT_DIALOGUE = [
    ('The so-called "expert" left.', "C: The so-called expert left."),
    ("Die „Lösung“ war keine.", "C: Die Lösung war keine."),
    ('A 24" screen, 5\'11" high.', "C: A 24 screen, 5'11 high."),
    ("Rock 'n' roll isn't dead, 'cause it's ours.", "C: Rock 'n' roll isn't dead, 'cause it's ours."),
    ("The dogs' bowls and the girls’ coats.", "C: The dogs' bowls and the girls’ coats."),
]

UNBALANCED = [
    ('"Stay here. She leaves.', "C: Stay here. She leaves."),
    ('"Stay here.\n\nShe leaves. "Bye."', "C: Stay here. | N: She leaves. | C: Bye."),
    ("“One.\n\n“Two.” He nods.", "C: One. Two. | N: He nods."),
    ('Stay here." He nods.', "C: Stay here. He nods."),
    ('"One, he said. "Two."', "C: One, he said. Two."),
    ("*He waits.\n\nHello.", "N: He waits. | C: Hello."),
    ("He waits.* Hello.", "C: He waits. Hello."),
    ('*He waits. "Hm."', "N: He waits. | C: Hm."),
    ("*He nods. *He waits.* Hello.", "N: He nods. He waits. | C: Hello."),
    ("*He nods. * Hello.", "N: He nods. | C: Hello."),
    ("* He nods.* Hello.", "N: He nods. | C: Hello."),
    ('"I\'m 6\'1" tall," he says. "And you?"', "C: I'm 6'1 tall, | N: he says. | C: And you?"),
    ('"I am 30" she says. "You?"', "C: I am 30 | N: she says. | C: You?"),
]

ASTERISKS = [
    ("*waves* Hi! *sits* So?", "N: waves | C: Hi! | N: sits | C: So?"),
    ("_waves_ Hi!", "N: waves | C: Hi!"),
    ("Good. *grins* Very good.", "C: Good. | N: grins | C: Very good."),
    ("Hi 😀 *waves*", "C: Hi | N: waves"),
    ('"*sighs* Fine," he says.', "N: sighs | C: Fine, | N: he says."),
    ('*He shouts "Run!" and runs.* Oh.', "N: He shouts | C: Run! | N: and runs. Oh."),
    ("*He thinks *hard* about it.* Yes.", "N: He thinks hard about it. | C: Yes."),
    ("I *do* mean **that**, _now_.", "C: I do mean that, now."),
    ("*That* is what I want.", "C: That is what I want."),
    ('"You *always* say so," he says.', "C: You always say so, | N: he says."),
    ('"*Come here,*" he says.', "C: Come here, | N: he says."),
    ('"*Come here*," he says.', "C: Come here, | N: he says."),
    ("abso*lute*ly", "C: absolutely"),
    ("x*y*z and 3 * 4 * 5", "C: x y z and 3 4 5"),
    ("snake_case and __init__", "C: snake case and init"),
    ("**「大事」**です", "C: 大事です"),
    ("*他点头。* 你好。", "N: 他点头。 | C: 你好。"),
    ("***He bows.*** Hello.", "N: He bows. | C: Hello."),
]

DASHES = [
    ("—Pasa —dijo él—. Siéntate.", "C: Pasa | N: dijo él | C: Siéntate."),
    ("— Да, — сказал он. — Иди.", "C: Да, | N: сказал он. | C: Иди."),
    ("— Я — врач, — сказал он.", "C: Я — врач, | N: сказал он."),
    ("– Tak – powiedział. – Idź.", "C: Tak | N: powiedział. | C: Idź."),
    ("— Sim — disse ele.\nEla saiu.", "C: Sim | N: disse ele. Ela saiu."),
    ("— Oui, dit-il.\nElle sort.", "C: Oui, dit-il. | N: Elle sort."),
    ("Wait — what — why?", "C: Wait — what — why?"),
    ("—and then he left.", "C: and then he left."),
    ("- milk\n- bread", "C: milk bread"),
]

SPEAKERS = [
    ("Mira: Hello.\nTom: Evening.", "C: Hello. | Tom: Evening."),
    ("**Tom:** Evening.", "Tom: Evening."),
    ("**Tom**: Evening.", "Tom: Evening."),
    ("tom: Evening.", "Tom: Evening."),
    ("Dr. Who: Run.", "Dr. Who: Run."),
    ("Tom：晚上好。", "Tom: 晚上好。"),
    ("Tom: *bows* Evening.", "N: bows | Tom: Evening."),
    ('Tom: "Evening," he says.\nMira: Sit.', "Tom: Evening, | N: he says. | C: Sit."),
    ("Tom: Yes.\n\nAnd more.", "Tom: Yes. And more."),
    ("Anna: bring milk.", "C: Anna: bring milk."),
    ("As Tom: said", "C: As Tom: said"),
    ("Tommy: no", "C: Tommy: no"),
]


@pytest.mark.parametrize(
    ("text", "expected"), [*QUOTES, *NOT_DIALOGUE, *UNBALANCED, *ASTERISKS, *DASHES, *SPEAKERS]
)
def test_roles_of_a_whole_reply(text: str, expected: str) -> None:
    assert script(read_whole(text)) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (ScanRules(), "N: She nods. | C: Yes, | N: she says. bows"),
        (ScanRules(narrator=Narration.OFF), "C: She nods. Yes, she says. bows"),
        (ScanRules(narrator=Narration.SILENT), "C: Yes,"),
        (ScanRules(unmarked=Unmarked.CHARACTER), "C: She nods. Yes, she says. | N: bows"),
        (ScanRules(unmarked=Unmarked.SILENT), "C: Yes, | N: bows"),
    ],
)
def test_narration_settings_decide_who_reads_plain_text(rules: ScanRules, expected: str) -> None:
    assert script(read_whole('She nods. "Yes," she says. *bows*', rules=rules)) == expected


def test_plain_text_without_dialogue_is_narrated_where_the_setting_says_so() -> None:
    assert script(read_whole("Hello.", rules=ScanRules(unmarked=Unmarked.NARRATOR))) == "N: Hello."


@pytest.mark.parametrize(
    ("parentheses", "expected"),
    [
        ("speak", "C: Hi (she waves) there."),
        ("skip", "C: Hi there."),
        ("narrator", "C: Hi | N: she waves | C: there."),
    ],
)
def test_parentheses_follow_their_setting(parentheses: str, expected: str) -> None:
    rules = ScanRules(parentheses=parentheses)  # type: ignore[arg-type]  # the table's strings are the literals
    assert script(read_whole("Hi (she waves) there.", rules=rules)) == expected


def test_an_unclosed_parenthesis_when_skipping_loses_no_words() -> None:
    assert script(read_whole("Hi (she waves there.", rules=ScanRules(parentheses="skip"))) == (
        "C: Hi (she waves there."
    )


def test_a_prior_of_narration_holds_for_text_before_the_first_quote() -> None:
    segments, _ = scan(['She nods. "Yes."'], style=ReplyStyle(unmarked=SpeakerRole.NARRATOR))
    assert script(segments) == "N: She nods. | C: Yes."


def test_a_contradicted_prior_leaves_what_was_said_and_follows_the_evidence() -> None:
    style = ReplyStyle(unmarked=SpeakerRole.CHARACTER)
    segments, learned = scan(['Rain falls outside. "Yes," she says. "Now."'], style=style)
    assert script(segments) == "C: Rain falls outside. Yes, | N: she says. | C: Now."
    assert learned.unmarked is SpeakerRole.NARRATOR


def test_a_prior_of_narration_is_given_up_after_a_paragraph_of_marked_narration() -> None:
    style = ReplyStyle(unmarked=SpeakerRole.NARRATOR)
    segments, learned = scan(["*waves* Hi.\n\nHow are you?"], style=style)
    assert script(segments) == "N: waves Hi. | C: How are you?"
    assert learned.unmarked is SpeakerRole.CHARACTER


def test_a_style_found_in_the_text_itself_is_not_given_up() -> None:
    text = '*She waits.*\n\nRain falls.\n\n"Hello."'
    assert script(read_whole(text)) == "N: She waits. Rain falls. | C: Hello."


@pytest.mark.parametrize(
    ("text", "unmarked"),
    [
        ("Hello there.", None),
        ("*nods* Hello.", SpeakerRole.CHARACTER),
        ('"Hello," she says.', SpeakerRole.NARRATOR),
        ("— Да, — сказал он.", SpeakerRole.NARRATOR),
        ('The word "yes" is short.', None),
    ],
)
def test_a_reply_teaches_whose_plain_text_is(text: str, unmarked: SpeakerRole | None) -> None:
    assert scan([text])[1].unmarked is unmarked


def test_every_segment_says_why_it_is_whose() -> None:
    segments = read_whole('*nods* "Yes," she says.\nTom: Hm.')
    assert [segment.why for segment in segments] == [
        "asterisk narration",
        "in quotes",
        "unmarked text, reply has dialogue",
        "speaker line",
    ]
