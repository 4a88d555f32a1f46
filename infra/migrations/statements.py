"""Splits a file of SQL into statements as the `mysql` client does: DELIMITER, strings, quoted names and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DELIMITER = re.compile(r"[ \t]*delimiter[ \t]+(\S+)[ \t]*(?:\n|\Z)", re.IGNORECASE)
_COMMENT = re.compile(r"--(?=[\s\x00-\x1f]|\Z)[^\n]*|#[^\n]*|/\*(?![!+M]).*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`", re.DOTALL)
_PLAIN = re.compile(r"[\w ,()=.]+")
_OPENING = re.compile(r"['\"`]|/\*")


class Unreadable(Exception):
    """The file cannot be split into statements; the message contains the problem and its line."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without its delimiter and without the comments before it, and the line on which it begins."""

    text: str
    line: int

    @property
    def first_line(self) -> str:
        """Return the first line of the statement, by which a person recognizes it."""
        return self.text.partition("\n")[0].strip()


def split(text: str) -> tuple[Statement, ...]:
    """Return the statements of a file; raise Unreadable for an unterminated string or comment."""
    return tuple(_statements(text.replace("\r\n", "\n")))


def _statements(text: str) -> Iterator[Statement]:
    delimiter, place, begin = ";", 0, -1
    while place < len(text):
        at_line_start = place == 0 or text[place - 1] == "\n"
        if begin < 0 and at_line_start and (told := _DELIMITER.match(text, place)):
            delimiter, place = told[1], told.end()
        elif text.startswith(delimiter, place):
            if begin >= 0:
                yield _statement(text, begin, place)
            place, begin = place + len(delimiter), -1
        elif begin >= 0 and not _PLAIN.match(delimiter) and (plain := _PLAIN.match(text, place)):
            place = plain.end()  # fast path for most of a file
        elif comment := _COMMENT.match(text, place):
            place = comment.end()
        elif quoted := _QUOTED.match(text, place):
            begin = place if begin < 0 else begin
            place = quoted.end()
        elif opening := _OPENING.match(text, place):
            if opening[0] != "/*" or not text.startswith(("/*!", "/*+", "/*M"), place):
                raise Unreadable(f"{opening[0]} of line {_line(text, place)} is not closed")
            begin = place if begin < 0 else begin
            place += len(opening[0])
        else:
            if begin < 0 and not text[place].isspace():
                begin = place
            place += 1
    if begin >= 0:
        yield _statement(text, begin, len(text))


def _statement(text: str, begin: int, end: int) -> Statement:
    return Statement(text[begin:end].rstrip(), _line(text, begin))


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
