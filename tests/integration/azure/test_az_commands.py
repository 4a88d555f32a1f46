"""The Azure CLI accepts every `az` command line that we run or print.

The CLI is an optional tool with 379 MB of packages, installed in a separate environment:

    python3.13 -m venv $NOTFLIX_PACKAGES/azure-cli && $NOTFLIX_PACKAGES/azure-cli/bin/pip install azure-cli
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from infra.local.home import REPOSITORY, Home

CLI = Path(os.environ.get("NOTFLIX_AZURE_CLI") or Home.of().packages / "azure-cli") / "bin" / "python"
RUNNERS = {"az", "found"}
BY_EXTENSION = (["containerapp", "job", "logs"], ["redisenterprise"])
"""Commands of a CLI extension that cannot be installed here; they are only printed or documented, never run."""

needs_cli = pytest.mark.skipif(not CLI.exists(), reason="the Azure CLI is not installed in its environment")


def text_of(node: ast.expr) -> str | None:
    """Return the text of a string expression, with `x` for each run-time value; None for any other expression."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return None


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
    """Return the command lines between backquotes, in code blocks and in `$(…)`."""
    inline = re.findall(r"`az ([^`]+)`", text)
    blocks = [line[3:] for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
              if line.startswith("az ")]  # fmt: skip
    nested = re.findall(r"\$\(az ((?:[^()]|\([^()]*\))*)\)", text)
    return [shlex.split(re.sub(r"\$\([^()]*\)", "x", line)) for line in (*inline, *blocks, *nested)]


def lines() -> list[list[str]]:
    """Return all command lines of the modules and documents without duplicates."""
    modules = sorted((REPOSITORY / "infra" / "azure").glob("*.py"))
    found = [words for path in modules for words in (*run_by(path), *printed_by(path))]
    for path in sorted((REPOSITORY / "docs").rglob("*.md")):
        if "decisions" not in path.parts:
            found += quoted(path.read_text(encoding="utf-8"))
    return [list(words) for words in dict.fromkeys(tuple(words) for words in found)]


def test_command_lines_are_found() -> None:
    found = lines()
    assert ["group", "exists", "--name", "x"] in found
    assert any(words[:3] == ["provider", "register", "--namespace"] for words in found)
    assert any(words[:4] == ["ad", "app", "federated-credential", "create"] for words in found)
    assert len(found) > 30


@needs_cli
def test_the_cli_accepts_every_command_line() -> None:
    found = [words for words in lines() if words not in (["login"],)]
    whole = [[word for word in words if word != "…"] for words in found]
    done = subprocess.run(
        [str(CLI), str(REPOSITORY / "infra" / "checks" / "az_commands.py")],
        input=json.dumps(whole), capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = dict(zip(map(shlex.join, found), json.loads(done.stdout), strict=True))
    refused = {}
    for words, error in zip(found, told.values(), strict=True):
        is_short = "…" in words or len(words) <= 4
        if not error or (is_short and "are required" in error):
            continue
        if any(words[: len(start)] == start for start in BY_EXTENSION) and "not recognized" in error:
            continue
        refused[shlex.join(words)] = error.splitlines()[0]
    assert refused == {}


@needs_cli
def test_the_cli_refuses_what_it_does_not_know() -> None:
    wrong = [
        ["group", "exists", "--subject", "x"],
        ["mysql", "flexible-server", "list-sku"],
        ["keyvault", "list", "--nam"],
    ]
    done = subprocess.run(
        [str(CLI), str(REPOSITORY / "infra" / "checks" / "az_commands.py")],
        input=json.dumps(wrong), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(json.loads(done.stdout))
