"""`./notflix deploy`: report every problem that would stop a deployment, and run azd if there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.azure import providers
from infra.azure.preflight import Finding, Level, check
from infra.azure.steps import ROLLBACK, report
from infra.azure.tools import Environment, az, run
from infra.local.home import REPOSITORY, CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterable

IMAGE = "NOTFLIX_ENCODER_IMAGE"
SUBSCRIPTION = "AZURE_SUBSCRIPTION_ID"
SIGNS = {Level.STOPS: "✗", Level.WARNS: "!", Level.TELLS: "·"}


def deploy(image: str = "") -> None:
    """Check everything, then provision and deploy; raise CannotRun if a problem would stop the deployment.

    `image` is a prebuilt encoder image, such as ghcr.io/owner/notflix-encoder:1; later deployments use it too.
    """
    findings = check(image=image)
    show(findings)
    if any(finding.level is Level.STOPS for finding in findings):
        raise CannotRun("Nothing was created. Fix what is marked ✗, and run `./notflix deploy` again.")
    environment = Environment()
    providers.register(environment)
    if image:
        environment.set(IMAGE, image)
        environment.set("NOTFLIX_REGISTRY", "false")
    if not environment.get(SUBSCRIPTION):  # azd would ask for it, but its hooks use that of az
        environment.set(SUBSCRIPTION, str(az("account", "show")["id"]))
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    unasked = () if sys.stdin.isatty() else ("--no-prompt",)
    prebuilt = environment.get(IMAGE)
    _run_each(
        [("azd", "provision", *unasked), *_of_image(prebuilt, unasked)] if prebuilt else [("azd", "up", *unasked)]
    )


def check_only(image: str = "") -> None:
    """Print the problems of a deployment and the services it lacks; raise SystemExit(1) if a problem would stop it."""
    findings = check(image=image)
    show(findings)
    if any(finding.level is Level.STOPS for finding in findings):
        raise SystemExit(1)


def show(findings: list[Finding]) -> None:
    """Print findings, the most severe first, each with its remedy."""
    for finding in sorted(findings, key=lambda each: each.level):
        sys.stdout.write(f"{SIGNS[finding.level]} {finding.text}\n")
        if finding.remedy:
            sys.stdout.write(f"    {finding.remedy}\n")
    if not any(finding.level is Level.STOPS for finding in findings):
        sys.stdout.write("Nothing was found that would stop a deployment.\n")


def roll_back(tag: str, image: str = "") -> None:
    """Deploy the code of an earlier tag; the databases do not change, because migrations only go forward.

    `image` is the encoder image of that version if images are built elsewhere; without it, the present image stays.
    """
    environment = Environment()
    os.chdir(REPOSITORY)
    run("git", "checkout", "--quiet", "--detach", tag)
    if image:
        environment.set(IMAGE, image)
    sys.stdout.write(f"The folder {REPOSITORY} has the version {tag} now; `git switch -` returns to the one before.\n")
    sys.stdout.flush()
    unasked = ("--no-prompt",)
    prebuilt = environment.get(IMAGE)
    _run_each(_of_image(prebuilt, unasked) if prebuilt else [("azd", "deploy", *unasked)], **{ROLLBACK: "true"})


def _of_image(image: str, unasked: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return the commands that deploy the code with a prebuilt image."""
    encoder = ("azd", "deploy", "encoder", "--from-package", image, *unasked)
    return [encoder, ("azd", "deploy", "functions", *unasked)]


def _run_each(commands: Iterable[tuple[str, ...]], **variables: str) -> None:
    """Run commands with additional environment variables, then print the report of their hooks.

    If a command fails, the others are not run, and its exit code is raised as SystemExit.
    """
    said = report()
    said.unlink(missing_ok=True)
    for argv in commands:
        if status := subprocess.run(argv, check=False, env={**os.environ, **variables}).returncode:
            raise SystemExit(status)
    if said.exists():
        sys.stdout.write(said.read_text(encoding="utf-8"))
