"""Fake programs az and azd that record their calls and answer from a table."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

PROGRAM = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
asked = [name, *sys.argv[1:]]
with (folder / "asked.jsonl").open("a") as file:
    file.write(json.dumps(asked) + "\\n")
values = json.loads((folder / "values.json").read_text())
if asked[:3] == ["azd", "env", "get-values"]:
    print(json.dumps(values))
    sys.exit()
if asked[:3] == ["azd", "env", "set"]:
    values[asked[3]] = asked[4]
    (folder / "values.json").write_text(json.dumps(values))
    sys.exit()
for start, answer in json.loads((folder / "answers.json").read_text()):
    if asked[: len(start)] == start:
        if isinstance(answer, str):
            sys.exit(answer)
        print(json.dumps(answer))
        sys.exit()
sys.exit("no such thing")
"""


@dataclass
class Programs:
    """The fake programs: their answers by the first words of a call, and the recorded calls."""

    folder: Path
    answers: list[tuple[list[str], Any]] = field(default_factory=list)

    def answer(self, *start: str, body: object) -> None:
        """Answer calls that start with these words with `body`."""
        self.answers.insert(0, (list(start), body))
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def refuse(self, *start: str, words: str) -> None:
        """Fail calls that start with `start`, with the error message `words`."""
        self.answer(*start, body=words)

    def keep(self, values: Mapping[str, str]) -> None:
        """Set the values of the azd environment."""
        (self.folder / "values.json").write_text(json.dumps(dict(values)))

    @property
    def values(self) -> dict[str, str]:
        """Return the values of the azd environment."""
        kept: dict[str, str] = json.loads((self.folder / "values.json").read_text())
        return kept

    @property
    def asked(self) -> list[list[str]]:
        """Return every call, in order."""
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def asked_for(self, *start: str) -> list[list[str]]:
        """Return the calls that start with these words."""
        return [call for call in self.asked if call[: len(start)] == list(start)]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Put the fake az and azd first on the PATH; their state is in `folder`."""
    folder.mkdir()
    made = Programs(folder)
    made.keep({})
    (folder / "answers.json").write_text("[]")
    for name in ("az", "azd"):
        program = folder / name
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return made
