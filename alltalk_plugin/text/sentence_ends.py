"""Whether a full stop ends a sentence, or an abbreviation, an initial, a date."""

from __future__ import annotations

import re

from alltalk_plugin.text.marks import is_cjk, word_set

_WORD_BEFORE_DOT = re.compile(r"([^\W_][\w.’'-]*)\.\Z")
_WORD = re.compile(r"[^\W\d_]+")

_ABBREVIATIONS = word_set(
    """
    mr mrs ms mx dr prof rev hon gen col capt cpt lt sgt st sr jr mt ft messrs
    vs eg e.g ie i.e cf al approx appt dept est ed eds u.s u.k a.m p.m
    z.b d.h u.a z.t s.o bzw ca evtl ggf inkl str hr fr frl dipl ing bd
    mme mlle mm mgr av av.j.c
    sra srta dra ud uds vd vds
    sig sig.ra dott dott.ssa prof.ssa
    exmo exma
    dhr mevr drs bijv enz t.a.v o.a
    np m.in prof.dr tzw ul godz
    т.е т.д т.п т.к др им ул г гг стр см руб
    напр
    örn vb sn dr.öğr
    např tzv apod mgr
    pl dr.h ifj özv
    """
)
_BEFORE_NUMBER = word_set(
    """
    no nr p pp fig vol ch art abs núm pág n
    jan feb mar apr jun jul aug sep sept oct okt nov dec dez
    """
)
_MONTHS = word_set(
    """
    januar jänner februar märz april mai juni juli august september oktober november dezember
    """
)


def ends_sentence(text: str, start: int, end: int) -> bool | None:
    """Whether the terminators at `text[start:end]` end a sentence; None while more text must be seen."""
    if end >= len(text):
        return None
    if text[start] in "。！？｡":
        return True
    if text[end] != " ":
        return is_cjk(text[end]) and text[end - 1] != "."
    if end + 1 >= len(text):
        return None
    following = text[end + 1]
    if following.islower():
        return False
    if text[end - 1] != "." or end - start > 1:
        return True
    word = _WORD_BEFORE_DOT.search(text, max(0, start - 24), end)
    if word is None:
        return True
    stem = word[1]
    if stem.isdigit():
        return not (len(stem) <= 2 and _month_follows(text, end + 1))
    lowered = stem.lower()
    if lowered in _ABBREVIATIONS:
        return False
    if lowered in _BEFORE_NUMBER:
        return not following.isdigit()
    # A single capital is an initial ("J. Smith") unless it is the pronoun.
    return not (len(stem) == 1 and stem.isupper() and stem != "I" and not is_cjk(stem))


def _month_follows(text: str, at: int) -> bool:
    match = _WORD.match(text, at)
    return match is not None and match[0].lower() in _MONTHS
