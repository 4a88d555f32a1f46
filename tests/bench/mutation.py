"""`./notflix bench mutation SLICE`: the share of small changes to a slice that its tests notice.

mutmut changes one thing at a time in a copy of the code: a comparison, a constant, an argument. It then runs the tests
that execute the changed function. A change that no test notices survives, and so does one that no test executes.
Decorated functions are not changed, because mutmut cannot replace them, nor are assemblies.

Only code that the slice's unit tests run is changed. Adapters of stores and of PayPal are measured separately:
`--adapters` changes only them, and runs their contract tests on the real stores, which are started once.

`--sample` tries only some of the changes, which `--seed` selects. With `--minutes`, the trials end after that time, and
the same command continues them, unless code or tests have changed since. The repository is not touched: everything
happens in a copy below NOTFLIX_HOME, and `survivors.diff` in it shows the changes that survived.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.checks.files import REPOSITORY
from infra.local.home import CannotRun, Home
from tests.bench._measure import conclude, say
from tests.bench._mutated_copy import MutatedCopy
from tests.integration.conftest import SHARED_STACK, running_stack
from tests.support.environments import python_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

GOALS = {"score_percent": 85.0}
SURVIVED, NOT_EXECUTED = 0, 33
TIMED_OUT = {-24, 24, 36, 152, 255}
"""Exit codes in mutmut's records of results; None is a change that was not tried."""

NO_CHANGE = "no.such.change"
LEFT_OUT = ("assembly.py", "ports.py", "*repository.py")


@dataclass(frozen=True, slots=True)
class Adapters:
    """The adapters of a slice, and the tests that run them on real stores."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


ADAPTERS = {
    "accounts": Adapters(
        ("factor_repository.py", "redis_rate_limiter.py", "repository.py", "sessions.py", "used_codes.py"),
        (
            "tests/integration/accounts/test_login_history_store.py",
            "tests/integration/accounts/test_logins_store.py",
            "tests/integration/accounts/test_redis_rate_limiter.py",
            "tests/integration/accounts/test_second_factor_stores.py",
            "tests/integration/accounts/test_sessions.py",
        ),
    ),
    "billing": Adapters(
        ("certificate_store.py", "entitlement_cache.py", "paypal.py", "repository.py"),
        (
            "tests/integration/billing/test_certificate_store.py",
            "tests/integration/billing/test_entitlement_cache.py",
            "tests/integration/billing/test_paypal.py",
            "tests/integration/billing/test_pending.py",
            "tests/integration/billing/test_stores.py",
            "tests/unit/billing/test_paypal_answers.py",
            "tests/unit/billing/test_paypal_requests.py",
        ),
    ),
    "playback": Adapters(
        ("repository.py",),
        (
            "tests/integration/playback/test_playlist_store.py",
            "tests/integration/playback/test_streams_store.py",
        ),
    ),
}

CONFIGURATION = """[mutmut]
source_paths=
    functions
only_mutate=
{mutated}
do_not_mutate=
{left_out}
also_copy=
    infra
    web
    sql
    docs
    function_app.py
    encoder_app.py
    host.json
pytest_add_cli_args=
    -p
    no:cacheprovider
    --hypothesis-profile=mutation
pytest_add_cli_args_test_selection=
{tests}
timeout_constant=4
timeout_multiplier=5
use_git_change_detection=false
"""


def main() -> int:
    """Print the survivors and the score; return 0 if it is at least 85 %, 1 if not, and 2 if trials are left."""
    parser = argparse.ArgumentParser(prog="./notflix bench mutation", description=__doc__)
    parser.add_argument("slice", help="a folder of functions/ that has unit tests, such as billing")
    parser.add_argument("--adapters", action="store_true", help="change the adapters instead, and use real stores")
    parser.add_argument("--sample", type=int, help="the number of changes to try instead of all")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="the number of changes tried at the same time")
    parser.add_argument("--minutes", type=float, help="how long changes are tried; the same command continues")
    options = parser.parse_args()
    configuration = configuration_of(options.slice, adapters=options.adapters)
    name = f"{options.slice}-adapters" if options.adapters else options.slice
    copy = MutatedCopy(Home.of().path / "mutation" / name)
    copy.refresh(configuration)
    with running_stack() if options.adapters else nullcontext() as stack:
        mutmut = Mutmut(copy, options.jobs, {SHARED_STACK: stack.address} if stack else {})
        say("Creating the changes, and finding the tests that execute each function …")
        mutmut.create()
        names = sorted(copy.results())
        chosen = sampled(names, options.sample, options.seed)
        left = [each for each in chosen if copy.results()[each] is None]
        say(f"Trying {len(left)} of {len(chosen)} chosen changes; there are {len(names)} …")
        if left:
            mutmut.try_changes(left, minutes=options.minutes)
        results = copy.results()
        survivors = [each for each in chosen if results[each] in (SURVIVED, NOT_EXECUTED)]
        listing = copy.folder / "survivors.diff"
        listing.write_text("\n".join(mutmut.difference(each) for each in survivors), encoding="utf-8")
    for each in survivors:
        say(f"{each}{' (no test executes it)' if results[each] == NOT_EXECUTED else ''}")
    say(f"The survivors are in {listing}.")
    left = [each for each in chosen if results[each] is None]
    if left:
        say(f"{len(left)} of {len(chosen)} changes have not been tried yet. The same command continues.")
        return 2
    figures = {
        "changes": len(names),
        "tried": len(chosen),
        "survived": len(survivors),
        "timed_out": sum(results[each] in TIMED_OUT for each in chosen),
        "score_percent": 100 * (len(chosen) - len(survivors)) / len(chosen),
    }
    return conclude("mutation", figures, GOALS, at_least=GOALS)


class Mutmut:
    """Runs mutmut with lower priority in a copy of the repository; its output is in `mutmut.log` there."""

    def __init__(self, copy: MutatedCopy, jobs: int, environment: Mapping[str, str]) -> None:
        packages = python_environment("mutation", REPOSITORY / "tests" / "mutation" / "requirements.txt")
        self._program = str(packages / "bin" / "mutmut")
        self._copy = copy
        self._folder = copy.folder
        self._jobs = jobs
        home = Home.of()
        self._environment = {
            **os.environ,
            # otherwise the tests would create a home inside the copy
            "NOTFLIX_HOME": str(home.path),
            "NOTFLIX_PACKAGES": str(home.packages),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if "site-packages" in path),
            **environment,
        }

    def create(self) -> None:
        """Create the changes and find the tests of each function, unless that has been done. Raises CannotRun."""
        if self._copy.is_complete:
            return
        # mutmut ends with an error afterwards, because no change has this name
        self._run([NO_CHANGE], minutes=None)
        if not self._copy.is_complete:
            raise CannotRun(f"The tests fail without any change:\n{self._last_lines()}")

    def try_changes(self, names: Sequence[str], *, minutes: float | None) -> None:
        """Try changes; stop after some minutes. Raises CannotRun."""
        code = self._run(names, minutes=minutes)
        if code:
            raise CannotRun(f"mutmut ended with {code}:\n{self._last_lines()}")

    def difference(self, name: str) -> str:
        """Return a change as a unified diff, under its name."""
        shown = subprocess.run(
            [self._program, "show", name], cwd=self._folder, env=self._environment, capture_output=True, text=True
        )
        return shown.stdout if shown.returncode == 0 else f"# {name}: mutmut cannot show it.\n"

    def _run(self, names: Sequence[str], *, minutes: float | None) -> int:
        """Return mutmut's exit code, or 0 if it was stopped because its time was up."""
        command = ["nice", "-n", "10", self._program, "run", "--max-children", str(self._jobs), *names]
        with self._log.open("w", encoding="utf-8") as log:
            running = subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=log, stderr=log)
            try:
                return running.wait(None if minutes is None else minutes * 60)
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGINT)  # mutmut then ends its workers
                running.wait()
                return 0
            except BaseException:
                running.send_signal(signal.SIGINT)
                running.wait()
                raise

    @property
    def _log(self) -> Path:
        return self._folder / "mutmut.log"

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:])


def configuration_of(slice_name: str, *, adapters: bool) -> str:
    """Return mutmut's configuration for a slice or its adapters. Raises CannotRun."""
    if not (REPOSITORY / "tests" / "unit" / slice_name).is_dir() or slice_name in ("infra", "web"):
        raise CannotRun(f"There is no slice {slice_name!r} with unit tests; try billing, accounts or playback.")
    known = ADAPTERS.get(slice_name, Adapters((), ()))
    if adapters and not known.modules:
        raise CannotRun(f"The adapters of {slice_name} are not listed; try {', '.join(ADAPTERS)}.")
    folder = f"functions/{slice_name}"
    return CONFIGURATION.format(
        mutated=lines(f"{folder}/{name}" for name in (known.modules if adapters else ("*",))),
        left_out=lines(f"{folder}/{name}" for name in (("assembly.py",) if adapters else (*LEFT_OUT, *known.modules))),
        tests=lines(known.tests if adapters else [f"tests/unit/{slice_name}"]),
    )


def lines(values: Iterable[str]) -> str:
    """Return the value of a setting that has one line for each of these values."""
    return "\n".join(f"    {value}" for value in values)


def sampled(names: list[str], size: int | None, seed: int) -> list[str]:
    """Return all names, or a sample that the seed determines."""
    return names if size is None or size >= len(names) else sorted(random.Random(seed).sample(names, size))


if __name__ == "__main__":
    raise SystemExit(main())
