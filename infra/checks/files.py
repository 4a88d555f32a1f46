"""The files of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def tracked_files(*patterns: str) -> list[str]:
    """Return the files that Git tracks or does not ignore, sorted; if patterns are given, only those that match."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted({name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()})
