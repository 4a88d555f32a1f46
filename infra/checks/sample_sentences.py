"""`python -m infra.checks.sample_sentences`: draw random sentences, so that a reader can judge their clarity.

The same seed draws the same sentences from the same source. Each line is `path:line: sentence`, or a JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY, tracked_files
from infra.checks.sentences import Sentence, sentences_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_COUNT = 400


def all_sentences(paths: Sequence[str]) -> list[Sentence]:
    """Return every sentence of the files below these paths (by default of all files), sorted by file and line."""
    return [
        sentence
        for name in tracked_files(*paths)
        if not name.endswith((".min.js", "CHANGELOG.md")) and not name.startswith("tests/releases/")
        for sentence in sentences_of(name, _text(name))
    ]


def draw(sentences: Sequence[Sentence], count: int, seed: int) -> list[Sentence]:
    """Return `count` different sentences, or all if there are fewer, sorted by file and line."""
    return sorted(random.Random(seed).sample(sentences, min(count, len(sentences))))


def _text(name: str) -> str:
    """Return the text of a file, or an empty string if its kind has no sentences."""
    try:
        return (REPOSITORY / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def main() -> int:
    """Print a sample, and on standard error the number of sentences that it was drawn from, by kind of file."""
    parser = argparse.ArgumentParser(prog="python -m infra.checks.sample_sentences")
    parser.add_argument("paths", nargs="*", help="only from files below these paths, such as functions")
    parser.add_argument(
        "--count", type=int, default=DEFAULT_COUNT, help=f"how many sentences; {DEFAULT_COUNT} if left out"
    )
    parser.add_argument("--seed", type=int, default=1, help="another number draws another sample")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    given = parser.parse_args()
    sentences = all_sentences(given.paths)
    for sentence in draw(sentences, given.count, given.seed):
        text = json.dumps(asdict(sentence), ensure_ascii=False)
        sys.stdout.write(f"{text if given.json else f'{sentence.path}:{sentence.line}: {sentence.text}'}\n")
    kinds = Counter(sentence.path.rpartition(".")[2] for sentence in sentences)
    sys.stderr.write(f"{len(sentences)} sentences: {', '.join(f'{kind} {n}' for kind, n in kinds.most_common())}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
