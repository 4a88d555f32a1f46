"""Certificates and the ages for which they are meant, in Python and in the pages' own table."""

from __future__ import annotations

import json
import subprocess

import pytest

from functions.catalogue.certificates import AGES, age_of
from functions.catalogue.model import Details
from infra.local.home import REPOSITORY

EXAMPLES = {
    **AGES,
    "fsk 12": 12,
    "FSK-16": 16,
    "FSK0": 0,
    "12A": 12,
    " 15 ": 15,
    "16+": 16,
    "pg-13": 13,
    "TV-MA": 17,
    "": None,
    "N/A": None,
    "Not Rated": None,
    "Unrated": None,
    "Approved": None,
    "FSK": None,
    "12 or so": None,
    "123": None,
    "+": None,
}


@pytest.mark.parametrize(("certificate", "age"), EXAMPLES.items())
def test_a_certificate_has_an_age_unless_its_meaning_is_unknown(certificate: str, age: int | None) -> None:
    assert age_of(certificate) == age


def test_a_title_is_suitable_up_to_the_limit_and_never_with_an_unknown_age() -> None:
    for certificate, limit in (("PG", 9), ("FSK 6", 6), ("R", None), (None, None)):
        assert Details("Film", rated=certificate).is_suitable(limit)
    for certificate, limit in (("PG-13", 12), (None, 16), ("Unrated", 16)):
        assert not Details("Film", rated=certificate).is_suitable(limit)


def test_the_pages_have_the_same_table() -> None:
    script = f"""
import {{ ageOf }} from "{(REPOSITORY / "web/js/certificates.js").as_uri()}";
console.log(JSON.stringify({json.dumps(list(EXAMPLES))}.map(ageOf)));
"""
    command = ["node", "--input-type=module", "--eval", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(answer.stdout) == list(EXAMPLES.values())
