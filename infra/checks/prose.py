"""`python -m infra.checks.prose`: find lines of Markdown prose longer than 120 characters.

Tables, code blocks and lines that cannot be broken, such as a long URL, are exempt.
"""

from __future__ import annotations

import sys

from infra.checks.files import REPOSITORY, tracked_files

LONGEST = 120


def long_lines(text: str) -> list[int]:
    """Return the numbers, from 1, of the lines of prose that are longer than `LONGEST` characters."""
    found = []
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.lstrip("> ")
        if fence:
            fence = "" if stripped.rstrip() == fence else fence
        elif stripped.startswith(("```", "~~~")):
            fence = stripped[: len(stripped) - len(stripped.lstrip(stripped[0]))]
        elif len(line) > LONGEST and not stripped.startswith("|") and " " in line[:LONGEST].strip(" -*>"):
            found.append(number)
    return found


def main() -> int:
    """Report each line that is too long; return 1 if there is any."""
    found = [
        f"{name}:{number}: longer than {LONGEST} characters\n"
        for name in tracked_files("*.md")
        for number in long_lines((REPOSITORY / name).read_text(encoding="utf-8"))
    ]
    sys.stdout.writelines(found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
