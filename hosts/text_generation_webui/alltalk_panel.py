"""The panel: a gradio face for the settings that the service offers. Plain components only.

The service says which fields there are; the page is built before it may be up. So there is a row of hidden
components of each kind, filled when the page is opened, on a change of character, and by a button. The
lists of words, one for each language and voice, share one box.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

_USED = ("Accordion", "Row", "HTML", "Button", "Checkbox", "Dropdown", "Textbox", "State", "update")
_SLOTS = {"toggle": 8, "choice": 32, "text": 12}
_WORDS_HELP = "One on a line: word = as it is said. Take a line out, and the word is said as it is written."
_TEST_TEXT = '*She looks up.* "Hello, this is how I sound."'


def build(host: Any, shared: Any) -> None:
    """The panel, inside the Blocks that the host builds now. Raises whatever this gradio lacks."""
    import gradio as gr

    _Panel(host, shared, gr).build()


class _Panel:
    """One page's components. The handlers run in the host's worker threads."""

    def __init__(self, host: Any, shared: Any, gr: Any) -> None:
        self._host = host
        self._gr = gr
        self._elements: Mapping[str, Any] = getattr(shared, "gradio", None) or {}
        self._slots: list[tuple[str, Any]] = []

    def build(self) -> None:
        gr = self._gr
        # Asked for first: a missing one must not leave half a panel.
        for name in _USED:
            getattr(gr, name)
        with gr.Accordion("AllTalk: spoken replies", open=False, elem_id="alltalk-panel"):
            status = gr.HTML(_status_html(None, "Not asked yet."))
            refresh = gr.Button("Refresh")
            known = gr.State([])
            for kind, count in _SLOTS.items():
                with gr.Row():  # wraps: there may be a voice for each of many languages
                    self._slots += [(kind, self._component(kind)) for _ in range(count)]
            with gr.Row():
                sentence = gr.Textbox(value=_TEST_TEXT, label="Test sentence")
                speak = gr.Button("Speak")
            heard = gr.HTML("")
            with gr.Accordion("Pronunciation", open=False):
                lists = gr.State({})
                whose = gr.Dropdown(label="In", choices=[], elem_id="alltalk-words-in")
                words = gr.Textbox(label="Words", info=_WORDS_HELP, lines=6, elem_id="alltalk-words")
                save = gr.Button("Save words")
                saved = gr.HTML("")
        outputs = [status, known] + [component for _, component in self._slots]
        about = [self._elements[key] for key in ("mode", "character_menu") if key in self._elements]
        if len(about) != 2:
            about = []  # an older host: no "voice for this character"
        quiet = {"show_progress": False}
        all_outputs = [*outputs, lists, whose, words, saved]
        refresh.click(self._filled_with_words, [lists, whose, *about], all_outputs, **quiet)
        for element in about:
            element.change(self._filled, about, outputs, **quiet)
        if "interface" in self._elements:
            fill = self._filled_with_words
            self._elements["interface"].load(fill, [lists, whose, *about], all_outputs, **quiet)
        for event in _events("choice", whose):
            event(self._chosen, [lists, whose], [words, saved], **quiet)
        save.click(self._words_saved, [lists, whose, words, *about], [lists, whose, words, saved], **quiet)
        for index, (kind, component) in enumerate(self._slots):
            for event in _events(kind, component):
                event(self._changer(index), [known, component, *about], [status, known], **quiet)
        speak.click(self._tested, [sentence, *about], [heard], **quiet)

    def _component(self, kind: str) -> Any:
        gr = self._gr
        if kind == "toggle":
            return gr.Checkbox(visible=False, label="")
        if kind == "choice":
            return gr.Dropdown(visible=False, label="", choices=[])
        return gr.Textbox(visible=False, label="")

    def _filled(self, *about: Any) -> list[Any]:
        """Status, the fields in their slots, and the components' new looks."""
        return self._asked(about)[0]

    def _filled_with_words(self, lists: Any, whose: Any, *about: Any) -> list[Any]:
        """That and the words; a change of character leaves alone what is being written there."""
        looks, panel = self._asked(about)
        return [*looks, *self._shown_words(panel, _key(lists, whose), "")]

    def _asked(self, about: Any) -> tuple[list[Any], Mapping[str, Any]]:
        hidden = [self._gr.update(visible=False) for _ in self._slots]
        try:
            panel = self._host.panel(self._character(about))
        except Exception as error:  # noqa: BLE001 - said in the panel, where the user is looking
            return [_status_html(None, _words(error)), [], *hidden], {}
        known: list[Any] = [None] * len(self._slots)
        for field in panel.get("fields") or ():
            if field.get("kind") == "entries":
                continue
            index = self._free_slot(_slot_kind(field), known)
            if index is not None:
                known[index] = {"key": field["key"], "kind": field.get("kind"), "value": field.get("value")}
                hidden[index] = self._look(field)
        return [_status_html(panel.get("status"), ""), known, *hidden], panel

    def _shown_words(self, panel: Mapping[str, Any], key: Any, note: str) -> list[Any]:
        """The lists by what they are called, the choice among them, the words of the chosen one."""
        lists: dict[str, dict[str, Any]] = {}
        for field in panel.get("fields") or ():
            if field.get("kind") == "entries":
                count = f" ({len(field['value'])})" if field["value"] else ""
                name = str(field.get("label") or field["key"]) + count
                lists[name] = {"key": field["key"], "value": field["value"]}
        wanted = [name for name, one in lists.items() if one["key"] == key]
        filled = [name for name, one in lists.items() if one["value"]]
        chosen = next(iter([*wanted, *filled, *lists]), None)
        choice = self._gr.update(choices=list(lists), value=chosen)
        return [lists, choice, *self._chosen(lists, chosen, note)]

    def _chosen(self, lists: Any, whose: Any, note: str = "") -> tuple[Any, Any]:
        entries = ((lists or {}).get(whose) or {}).get("value") or {}
        shown = _as_lines(entries)
        hidden = len(entries) - len(_from_lines(shown))
        if hidden:
            note += f" {hidden} more can only be changed in the settings file."
        return self._gr.update(value=shown), _status_html(None, note.strip())

    def _words_saved(self, lists: Any, whose: Any, shown: Any, *about: Any) -> list[Any]:
        """What was changed, and nothing else; a bad line changes nothing and stays where it is."""
        same = self._gr.update()
        one = (lists or {}).get(whose)
        if not one:
            return [lists, same, same, _status_html(None, "There is no list of words yet; press Refresh.")]
        try:
            before = _from_lines(_as_lines(one["value"]))
            after = _from_lines(str(shown or ""))
            words = {**before, **after}
            changed = {word: after.get(word) for word in words if before.get(word) != after.get(word)}
            if not changed:
                return [lists, same, same, _status_html(None, "Nothing was changed.")]
            panel = self._host.change({one["key"]: changed}, self._character(about))
        except Exception as error:  # noqa: BLE001 - said in the panel, where the user is looking
            return [lists, same, same, _status_html(None, "Not saved: " + _words(error))]
        return self._shown_words(panel, one["key"], "Saved.")

    def _free_slot(self, kind: str, known: list[Any]) -> int | None:
        free = (i for i, (of, _) in enumerate(self._slots) if of == kind and known[i] is None)
        return next(free, None)

    def _look(self, field: Mapping[str, Any]) -> Any:
        value, kind = field.get("value"), _slot_kind(field)
        look = {"visible": True, "label": str(field.get("label") or field["key"])}
        if field.get("help"):
            look["info"] = str(field["help"])
        if kind == "toggle":
            return self._gr.update(value=bool(value), **look)
        shown = "" if value is None else str(value)
        if kind == "choice":
            choices = [str(choice) for choice in field["choices"]]
            choices = choices if shown in choices else [shown, *choices]
            return self._gr.update(value=shown, choices=choices, **look)
        return self._gr.update(value=shown, **look)

    def _changer(self, index: int) -> Any:
        def changed(known: Any, shown: Any, *about: Any) -> tuple[Any, Any]:
            field = known[index] if known and index < len(known) else None
            if not field:
                return self._gr.update(), known
            try:
                value = _typed(shown, field)
                if value == field["value"]:
                    return self._gr.update(), known  # filled in by us
                panel = self._host.change({field["key"]: value}, self._character(about))
            except Exception as error:  # noqa: BLE001 - said in the panel, where the user is looking
                return _status_html(None, "Not saved: " + _words(error)), known
            fresh = [dict(one, value=value) if one is field else one for one in known]
            return _status_html(panel.get("status"), "Saved."), fresh

        return changed

    def _tested(self, sentence: Any, *about: Any) -> str:
        try:
            name = self._host.test(str(sentence or ""), self._character(about)).get("audio_file")
        except Exception as error:  # noqa: BLE001 - said in the panel, where the user is looking
            return _status_html(None, _words(error))
        if not name:
            return _status_html(None, "There is nothing to say in this sentence.")
        return f'<audio controls autoplay src="alltalk_plugin/audio/{html.escape(str(name))}"></audio>'

    def _character(self, about: Any) -> str | None:
        return self._host.shown_character(*about) if len(about) == 2 else None


def _key(lists: Any, whose: Any) -> Any:
    return ((lists or {}).get(whose) or {}).get("key")


def _as_lines(entries: Mapping[str, str]) -> str:
    """One line for each; what a line cannot say (a line break) is left out."""
    lines = [(word, said, f"{word} = {said}") for word, said in entries.items()]
    return "\n".join(line for word, said, line in lines if _reads_back(word, said, line))


def _reads_back(word: str, said: str, line: str) -> bool:
    try:
        return _from_lines(line) == {word: said}
    except ValueError:
        return False


def _from_lines(text: str) -> dict[str, str]:
    """Word -> as it is said. Raises: ValueError that names the line."""
    entries: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        word, sign, said = line.partition(" = " if " = " in line else "=")
        word, said = word.strip(), said.strip()
        if not sign or not word or not said:
            raise ValueError(f"line {number} is not 'word = as it is said': {line.strip()}")
        if word in entries:
            raise ValueError(f"line {number}: '{word}' is there twice.")
        entries[word] = said
    return entries


def _events(kind: str, component: Any) -> list[Any]:
    """What a person does to it. A text is saved when it is finished, not at every letter."""
    names = ("blur", "submit") if kind == "text" else ("input",)
    found = [getattr(component, name) for name in names if hasattr(component, name)]
    return found or [component.change]


def _slot_kind(field: Mapping[str, Any]) -> str:
    if field.get("kind") == "bool":
        return "toggle"
    return "choice" if field.get("choices") else "text"


def _typed(shown: Any, field: Mapping[str, Any]) -> Any:
    """What is shown, as the service wants it. Raises: ValueError."""
    kind = field.get("kind")
    if kind == "bool":
        return bool(shown)
    text = "" if shown is None else str(shown).strip()
    if text == "" and field["value"] is None:
        return None
    if kind in ("int", "float"):
        return int(text) if kind == "int" else float(text)
    return text


def _words(error: Exception) -> str:
    message = str(error) or type(error).__name__
    hint = str(getattr(error, "hint", "") or "")
    return f"{message.rstrip('.')}. {hint}" if hint else message


def _status_html(status: Any, note: str) -> str:
    lines = []
    if isinstance(status, Mapping):
        lines.append(f"Service: {status.get('service') or 'running'}")
        lines.append(f"Model in use: {status.get('model') or 'none yet'}")
        if status.get("last_error"):
            lines.append(f"Last error: {status['last_error']}")
    if note:
        lines.append(note)
    return "<div class='alltalk-status'>" + "<br>".join(html.escape(line) for line in lines) + "</div>"
