"""Extracts the sentences that people read: docstrings, comments, command-line texts and documents."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FEWEST_WORDS = 3
"""A string with fewer words is a label, not a sentence."""

COMMAND_LINE = "infra/local/cli/"
"""The folder of the command line, in which every string in the code is shown to a person."""


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """A sentence, and the file and line on which it starts."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a block of text."""

    number: int
    text: str


_Block = list[_Line]

_END_OF_SENTENCE = re.compile(r"(?<=[.!?])[\"')`]?\s+(?=[\"'(`]?[A-Z0-9`])")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|No)\.$")
_DIRECTIVE = re.compile(
    r"^(?:noqa|type: ignore|fmt: |pragma|shellcheck |ruff: |hadolint |yaml-language-server|eslint|@ts-|prettier|!/)"
)
_CODE = re.compile(r"`[^`]*`|\]\([^)]*\)")
_WORD = re.compile(r"[\"'(\[*]*[A-Za-z][A-Za-z'’-]*[]\"')*.,:;!?…]*")
_TERMS = re.compile(r"[\w-]+(?:, [\w-]+)+")
_SUPPRESSION = re.compile(r"^checkov:skip=\w+:")


def sentences_of(path: str, text: str) -> list[Sentence]:
    """Return the sentences of a file in the order of their lines; none if this kind of file is not supported."""
    read = _READERS.get(PurePosixPath(path).suffix)
    if read is None:
        return []
    blocks = list(read(text))
    if path.startswith(COMMAND_LINE) and path.endswith(".py"):
        blocks += _python_texts(text)
    found = dict.fromkeys(sentence for block in blocks for sentence in _split(path, block))
    return sorted(found, key=lambda each: each.line)


def _split(path: str, block: _Block) -> Iterator[Sentence]:
    """Yield the sentences of a block; the lines of one sentence are joined with spaces."""
    start, pieces = 0, [""]
    starts: list[tuple[int, int]] = []
    for line in block:
        starts.append((start, line.number))
        pieces.append(line.text.strip())
        start += len(line.text.strip()) + 1
    whole = " ".join(pieces)[1:]
    begin = 0
    found = _END_OF_SENTENCE.finditer(whole)
    ends = [each.end() for each in found if not _ABBREVIATION.search(whole[: each.start()])]
    for end in (*ends, len(whole)):
        text = whole[begin:end].strip()
        number = max((line for offset, line in starts if offset <= begin), default=0)
        if _count_words(text) >= FEWEST_WORDS:
            yield Sentence(path, number, text)
        begin = end


def _count_words(text: str) -> int:
    """Return the number of English words in a string; code, names, URLs and lists of terms do not count."""
    if _TERMS.fullmatch(text):
        return 0
    return sum(1 for word in _CODE.sub(" ", text).split() if _WORD.fullmatch(word))


def _paragraphs(lines: Iterable[_Line]) -> Iterator[_Block]:
    """Yield groups of consecutive lines that are not empty."""
    block: _Block = []
    for line in lines:
        if block and (not line.text.strip() or line.number != block[-1].number + 1):
            yield block
            block = []
        if line.text.strip():
            block.append(line)
    if block:
        yield block


# --- Python ----------------------------------------------------------------------------------------------------------


def _python(text: str) -> Iterator[_Block]:
    """Yield the paragraphs of docstrings, of strings that describe a constant, and of comments."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            described = enumerate(node.value.value.split("\n"), node.value.lineno)
            yield from _paragraphs(_Line(number, line) for number, line in described)
    comments = [
        _Line(token.start[0], token.string.lstrip("#: "))
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    yield from _paragraphs(_without_directives(comments))


def _python_texts(text: str) -> Iterator[_Block]:
    """Yield strings that are not docstrings and look like prose; values filled in at run time appear as `…`."""
    tree = ast.parse(text)
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield from _paragraphs([_Line(node.lineno, "".join(map(str, parts)))])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield from _paragraphs([_Line(node.lineno, node.value)])


def _without_directives(lines: Iterable[_Line]) -> list[_Line]:
    """Return the comments without instructions to tools and without lines of dashes."""
    stripped = (_Line(line.number, re.sub(r"\s*-{4,}\s*|-{3,}\s*", " ", line.text).strip()) for line in lines)
    written = (_Line(line.number, _SUPPRESSION.sub("", line.text)) for line in stripped)
    return [line for line in written if not _DIRECTIVE.match(line.text)]


# --- SQL, JavaScript, Bicep ------------------------------------------------------------------------------------------

_TEXT = r"'(?:[^'\\\n]|\\.)*'" + r'|"(?:[^"\\\n]|\\.)*"'
_SCRIPT = re.compile(
    _TEXT
    + r"|`(?:[^`\\]|\\.)*`|(?P<block>/\*.*?\*/)|(?<![:\\])//(?P<line>[^\n]*)"
    + r"|(?<=[=(,:] )/(?![*/])(?:[^/\\\n]|\\.)+/",  # a regular expression
    re.DOTALL,
)
_SQL = re.compile(_TEXT + r"|(?P<block>/\*.*?\*/)|--\s(?P<line>[^\n]*)", re.DOTALL)
_BICEP = re.compile(
    r"@(?:sys\.)?description\('(?P<described>(?:[^'\\]|\\.)*)'\)|'''.*?'''|"
    + _TEXT
    + r"|(?P<block>/\*.*?\*/)|//(?P<line>[^\n]*)",
    re.DOTALL,
)
_TAG = re.compile(r"^@(?P<tag>\w+)\s*(?:\{[^}]*\}\s*)?(?:\[?[\w.=]+\]?\s*-?\s*)?")


def _commented(pattern: re.Pattern[str]) -> Callable[[str], Iterator[_Block]]:
    """Return a function that yields the comments of a language; `pattern` matches comments, and strings to skip."""

    def read(text: str) -> Iterator[_Block]:
        lines: list[_Line] = []
        for found in pattern.finditer(text):
            number = text.count("\n", 0, found.start()) + 1
            groups = found.groupdict()
            if groups.get("described"):
                yield [_Line(number, groups["described"].replace("\\'", "'"))]
            elif groups.get("line"):
                lines.append(_Line(number, groups["line"].lstrip("/ ")))
            elif groups.get("block"):
                block = _block_comment(groups["block"], number)
                yield from _paragraphs(_without_directives(block))
        yield from _paragraphs(_without_directives(lines))

    return read


def _block_comment(comment: str, number: int) -> Iterator[_Line]:
    """Yield the lines of a multi-line comment; the description of each JSDoc tag becomes a separate paragraph."""
    for offset, line in enumerate(comment[2:-2].split("\n")):
        text = line.strip().lstrip("*").strip()
        if tag := _TAG.match(text):
            described = tag["tag"] in ("param", "returns", "return", "property", "throws", "typedef")
            text = text[tag.end() :] if described else ""
            yield _Line(number + offset - 1, "")  # an empty line, so that it starts a paragraph
        yield _Line(number + offset, text)


# --- Markdown --------------------------------------------------------------------------------------------------------

_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")


def _markdown(text: str) -> Iterator[_Block]:
    """Yield paragraphs, list items, headings and table cells, but no code blocks."""
    lines: list[_Line] = []
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip("> ").startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced or line.lstrip().startswith(("<", "![")):
            continue
        elif line.lstrip().startswith("|"):
            yield from ([_Line(number, cell)] for cell in re.split(r"(?<!\\)\|", line) if cell.strip(" -:"))
        elif line.startswith("#") or _ITEM.match(line):
            yield from _paragraphs(lines)
            lines = [_Line(number, _ITEM.sub("", line.lstrip("# ")))]
            if line.startswith("#"):
                yield from _paragraphs(lines)
                lines = []
        else:
            lines.append(_Line(number, line.lstrip("> ")))
    yield from _paragraphs(lines)


_READERS: dict[str, Callable[[str], Iterator[_Block]]] = {
    ".py": _python,
    ".sql": _commented(_SQL),
    ".js": _commented(_SCRIPT),
    ".mjs": _commented(_SCRIPT),
    ".bicep": _commented(_BICEP),
    ".md": _markdown,
}
