"""Run Lighthouse on pages of a running product."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from infra.local.home import REPOSITORY, CannotRun
from infra.local.stores.packages import bench_folder, install

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.local.home import Home

TIMEOUT_S = 180
MOST_RECORDINGS = 4
"""How often a page is loaded for one rating."""

FIGURES = ("lcp_s", "fcp_s", "cls", "blocked_ms", "kb", "kb_without_pictures")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
FORMS: Mapping[str, Sequence[str]] = {"mobile": (), "desktop": ("--preset=desktop",)}
_CHROMIUM = "--headless=new --no-sandbox --disable-gpu"


@dataclass(frozen=True, slots=True)
class PageRating:
    """Lighthouse's result for one page: scores from 0 to 100, times in seconds, sizes in KB of transferred bytes."""

    scores: Mapping[str, float]
    lcp_s: float
    fcp_s: float
    cls: float
    blocked_ms: float
    kb: float
    kb_without_pictures: float
    failed: tuple[str, ...]


class Lighthouse:
    """Lighthouse, installed into the home's packages, with the system's Chromium."""

    def __init__(self, home: Home) -> None:
        self._script = bench_folder(home) / "node_modules" / "lighthouse" / "cli" / "index.js"
        self._chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if self._chromium is None:
            raise CannotRun("Lighthouse needs Chromium or Chrome; install the package `chromium`.")
        install(REPOSITORY / "tests" / "bench" / "packages", bench_folder(home), _run)

    def rate(self, address: str, form: str, *, runs: int) -> PageRating:
        """Return the medians of several runs; `form` is a key of FORMS."""
        ratings = [self._rate(address, form) for _ in range(runs)]
        scores = {name: median(each.scores[name] for each in ratings) for name in CATEGORIES}
        medians = {name: median(getattr(each, name) for each in ratings) for name in FIGURES}
        return PageRating(scores=scores, failed=ratings[-1].failed, **medians)

    def _rate(self, address: str, form: str) -> PageRating:
        """Rate a page, again if Chromium recorded no navigation, which Lighthouse cannot help."""
        for _ in range(MOST_RECORDINGS - 1):
            try:
                return self._rate_once(address, form)
            except CannotRun as error:
                if "NO_NAVSTART" not in str(error):
                    raise
        return self._rate_once(address, form)

    def _rate_once(self, address: str, form: str) -> PageRating:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.json"
            _run(
                *("node", str(self._script), address, *FORMS[form], "--quiet"),
                *("--output=json", f"--output-path={result}", f"--only-categories={','.join(CATEGORIES)}"),
                f"--chrome-flags={_CHROMIUM}",
                environment={"CHROME_PATH": str(self._chromium)},
            )
            return _rating(json.loads(result.read_text(encoding="utf-8")))


def _rating(result: Mapping[str, Any]) -> PageRating:
    audits = result["audits"]
    requests = audits["network-requests"]["details"]["items"]
    kinds = [(each.get("resourceType"), each.get("transferSize", 0)) for each in requests]
    own = {name: result["categories"][name] for name in CATEGORIES}
    failed = [
        reference["id"]
        for name in CATEGORIES[1:]
        for reference in own[name]["auditRefs"]
        if reference["weight"] and audits[reference["id"]]["score"] == 0
    ]
    return PageRating(
        scores={name: 100 * (category["score"] or 0.0) for name, category in own.items()},
        lcp_s=audits["largest-contentful-paint"]["numericValue"] / 1000,
        fcp_s=audits["first-contentful-paint"]["numericValue"] / 1000,
        cls=audits["cumulative-layout-shift"]["numericValue"],
        blocked_ms=audits["total-blocking-time"]["numericValue"],
        kb=sum(size for _, size in kinds) / 1000,
        kb_without_pictures=sum(size for kind, size in kinds if kind not in ("Image", "Media")) / 1000,
        failed=tuple(failed),
    )


def _run(*argv: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command; raise CannotRun with its output if it fails."""
    whole = {**os.environ, **(environment or {})}
    done = subprocess.run(argv, env=whole, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(argv[:2])} failed: {done.stderr.strip() or done.stdout.strip()}")
