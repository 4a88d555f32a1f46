"""A language is recognised in every form in which containers and file names write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langcodes import Language

from functions.encoding.languages import UNKNOWN, language_name, language_tag

BOTH_FORMS = {
    "sq": ("alb", "sqi"),
    "hy": ("arm", "hye"),
    "eu": ("baq", "eus"),
    "my": ("bur", "mya"),
    "zh": ("chi", "zho"),
    "cs": ("cze", "ces"),
    "nl": ("dut", "nld"),
    "fr": ("fre", "fra"),
    "ka": ("geo", "kat"),
    "de": ("ger", "deu"),
    "el": ("gre", "ell"),
    "is": ("ice", "isl"),
    "mk": ("mac", "mkd"),
    "mi": ("mao", "mri"),
    "ms": ("may", "msa"),
    "fa": ("per", "fas"),
    "ro": ("rum", "ron"),
    "sk": ("slo", "slk"),
    "bo": ("tib", "bod"),
    "cy": ("wel", "cym"),
}
"""All languages of ISO 639-2 that have two codes: bibliographic and terminology."""


@pytest.mark.parametrize("tag", BOTH_FORMS)
def test_both_codes_of_iso_639_2_are_the_same_language(tag: str) -> None:
    assert {language_tag(code) for code in (tag, *BOTH_FORMS[tag])} == {tag}


@pytest.mark.parametrize(
    ("code", "tag", "name"),
    [
        ("eng", "en", "English"),
        ("EN", "en", "English"),
        (" ger ", "de", "German"),
        ("pt-BR", "pt-BR", "Portuguese (Brazil)"),
        ("pt_br", "pt-BR", "Portuguese (Brazil)"),
        ("por-BR", "pt-BR", "Portuguese (Brazil)"),
        ("es-419", "es-419", "Spanish (Latin America)"),
        ("zh-hans", "zh-Hans", "Chinese (Simplified)"),
        ("zh-Hant-TW", "zh-Hant-TW", "Chinese (Traditional, Taiwan)"),
        ("yue", "yue", "Cantonese"),
        ("cmn", "cmn", "Chinese"),
        ("gsw", "gsw", "Swiss German"),
        ("fil", "fil", "Filipino"),
        ("iw", "he", "Hebrew"),
        ("scc", "sr", "Serbian"),
        ("mul", "mul", "Multiple languages"),
        ("zxx", "zxx", "No linguistic content"),
        ("de-CH-1996", "de-CH", "German (Switzerland)"),
    ],
)
def test_language_in_any_form(code: str, tag: str, name: str) -> None:
    assert language_tag(code) == tag
    assert language_name(tag) == name


@pytest.mark.parametrize(
    "code", ["", "und", "mis", "qaa", "qtz", "xx", "xyz", "e", "english", "12", "x-klingon", "../..", "e" * 4000, "en-"]
)
def test_code_without_meaning_is_unknown(code: str) -> None:
    assert language_tag(code) == UNKNOWN


@given(st.text(max_size=40))
def test_result_is_a_tag_or_unknown(code: str) -> None:
    tag = language_tag(code)
    assert tag == UNKNOWN or Language.get(tag).is_valid()
    assert language_tag(tag) == tag
    assert language_name(tag)
