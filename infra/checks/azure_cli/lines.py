"""The `az` command lines of the project: what its modules run and print, and what its documents tell people to run."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY, tracked_files

if TYPE_CHECKING:
    from pathlib import Path

RUNNERS = {"az", "found"}
"""The functions of `infra/azure/tools.py` whose arguments are a command line."""


def all_lines() -> list[list[str]]:
    """Return all command lines of the modules and documents without duplicates."""
    found = []
    for name in tracked_files("infra/azure/*.py", "infra/local/cli/*.py"):
        found += [*run_by(REPOSITORY / name), *printed_by(REPOSITORY / name)]
    for name in tracked_files("*.md", "*.yml", "*.yaml"):
        if "decisions" not in name and not name.startswith("CHANGELOG"):
            found += quoted((REPOSITORY / name).read_text(encoding="utf-8"))
    return [list(words) for words in dict.fromkeys(tuple(words) for words in found)]


def run_by(path: Path) -> list[list[str]]:
    """Return the command lines that a module runs."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNNERS:
            words = [text_of(argument) or "x" for argument in node.args if not isinstance(argument, ast.Starred)]
            if words and words[0] != "x":
                found.append(words)
    return found


def printed_by(path: Path) -> list[list[str]]:
    """Return the command lines that a module prints: whole strings, or parts of strings between backquotes."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.expr)]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    texts = [text for node in nodes if id(node) not in parts and (text := text_of(node))]
    return [words for text in texts for words in quoted(f"`{text}`" if text.startswith("az ") else text)]


def quoted(text: str) -> list[list[str]]:
    """Return the command lines between backquotes, on lines of their own in code blocks, and in `$(…)`."""
    inline = re.findall(r"`az ([^`]+)`", text)
    blocks = [
        line[3:]
        for block in re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("az ")
    ]
    nested = re.findall(r"\$\(az ((?:[^()]|\([^()]*\))*)\)", text)
    return [shlex.split(re.sub(r"\$\([^()]*\)", "x", line)) for line in (*inline, *blocks, *nested)]


def text_of(node: ast.expr) -> str | None:
    """Return the text of a string expression, with `x` for each run-time value; None for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return None
