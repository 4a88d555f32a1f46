"""Sentences are found with their line numbers in each language; code, names and tool directives are not sentences."""

from __future__ import annotations

import subprocess
import sys

from infra.checks.files import REPOSITORY
from infra.checks.sample_sentences import all_sentences, draw
from infra.checks.sentences import Sentence, sentences_of


def read(path: str, text: str) -> list[tuple[int, str]]:
    return [(sentence.line, sentence.text) for sentence in sentences_of(path, text)]


def test_docstrings_and_comments_of_python() -> None:
    text = '''"""Work with jobs, e.g. Retry them. Every job
ends once.

Another paragraph of words.
"""

LIMIT = 3  # the most that one may have
"""How many there are."""


def run() -> None:
    """Return the number of jobs."""
    # first a comment that goes on
    # over two lines
    text = "no docstring is a text here"  # noqa: E501
'''
    assert read("functions/jobs.py", text) == [
        (1, "Work with jobs, e.g. Retry them."),
        (1, "Every job ends once."),
        (4, "Another paragraph of words."),
        (7, "the most that one may have"),
        (8, "How many there are."),
        (12, "Return the number of jobs."),
        (13, "first a comment that goes on over two lines"),
    ]


def test_texts_of_the_command_line() -> None:
    text = 'def say(name):\n    print(f"{name} is already running.")\n    print("a/path/of.txt", "Stop it first.")\n'
    assert read("infra/local/cli/start.py", text) == [(2, "… is already running."), (3, "Stop it first.")]
    assert read("functions/start.py", text) == []


def test_comments_of_sql() -> None:
    text = "-- Return the newest first.\nSELECT 'not -- a comment at all' /* but this one is */;\n"
    assert read("sql/a.sql", text) == [(1, "Return the newest first."), (2, "but this one is")]


def test_comments_of_javascript() -> None:
    text = (
        "/**\n * Draw the bar of time.\n * @param {number} width how wide it is drawn\n"
        " * @returns {void}\n */\nconst a = 'https://example.org/not a comment here'; // one that is not long\n"
        "const pattern = /'\\/\\/ still no comment/; // eslint-disable-line no-magic-numbers\n"
    )
    assert read("web/js/bar.js", text) == [
        (2, "Draw the bar of time."),
        (3, "how wide it is drawn"),
        (6, "one that is not long"),
    ]


def test_descriptions_and_comments_of_bicep() -> None:
    text = (
        "@description('The site\\'s name, if it has one.')\nparam site string // set by the person who deploys\n"
        "var a = 'https://no comment in here'\n//checkov:skip=CKV_AZURE_1:it needs no such thing\n"
    )
    assert read("infra/main.bicep", text) == [
        (1, "The site's name, if it has one."),
        (2, "set by the person who deploys"),
        (4, "it needs no such thing"),
    ]


def test_prose_of_markdown() -> None:
    text = (
        "# How to run it\nFirst sentence of it. Second\nsentence of it.\n\n- an item that\n  goes on\n"
        "- another item in it\n\n```\nno sentence in here\n```\n| a cell of words | `code only here` |\n| --- | --- |\n"
    )
    assert read("docs/a.md", text) == [
        (1, "How to run it"),
        (2, "First sentence of it."),
        (2, "Second sentence of it."),
        (5, "an item that goes on"),
        (7, "another item in it"),
        (12, "a cell of words"),
    ]


def test_a_seed_draws_the_same_sentences_again_and_another_seed_others() -> None:
    sentences = [Sentence("a.py", line, f"Sentence number {line}.") for line in range(1000)]
    assert draw(sentences, 400, seed=7) == draw(sentences, 400, seed=7)
    assert draw(sentences, 400, seed=7) != draw(sentences, 400, seed=8)
    assert len(set(draw(sentences, 400, seed=7))) == 400
    assert draw(sentences[:3], 400, seed=7) == sentences[:3]


def test_every_kind_of_file_of_the_repository_has_sentences() -> None:
    kinds = {
        sentence.path.rpartition(".")[2] for sentence in all_sentences(["functions", "sql", "web", "infra", "docs"])
    }
    assert kinds >= {"py", "sql", "js", "bicep", "md"}


def test_the_command_prints_one_sentence_a_line() -> None:
    argv = [sys.executable, "-m", "infra.checks.sample_sentences", "--count", "5", "docs"]
    printed = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(printed) == 5
    assert all(line.startswith("docs/") for line in printed)
