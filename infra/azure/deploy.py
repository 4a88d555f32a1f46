"""`./notflix deploy`: report every problem that would stop a deployment, and run azd if there is none."""

from __future__ import annotations

import os
import subprocess
import sys

from infra.azure.preflight import Finding, Level, check
from infra.azure.tools import Environment, run
from infra.local.home import REPOSITORY, CannotRun

IMAGE = "NOTFLIX_ENCODER_IMAGE"
SIGNS = {Level.STOPS: "✗", Level.WARNS: "!", Level.TELLS: "·"}


def deploy(image: str = "") -> None:
    """Check everything, then provision and deploy; raise CannotRun if a problem would stop the deployment.

    `image` is a prebuilt encoder image, such as ghcr.io/owner/notflix-encoder:1; later deployments use it too.
    """
    findings = check(image=image)
    show(findings)
    if any(finding.level is Level.STOPS for finding in findings):
        raise CannotRun("Nothing was made. Put right what is marked ✗ and run `./notflix deploy` again.")
    environment = Environment()
    if image:
        environment.set(IMAGE, image)
        environment.set("NOTFLIX_REGISTRY", "false")
    sys.stdout.flush()
    os.chdir(REPOSITORY)
    unasked = () if sys.stdin.isatty() else ("--no-prompt",)
    if prebuilt := environment.get(IMAGE):
        for argv in (
            ("azd", "provision"),
            ("azd", "deploy", "encoder", "--from-package", prebuilt),
            ("azd", "deploy", "functions"),
        ):
            if status := subprocess.run([*argv, *unasked], check=False).returncode:
                raise SystemExit(status)
        return
    os.execvp("azd", ["azd", "up", *unasked])


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


def roll_back(tag: str) -> None:
    """Deploy the code of an earlier tag; the databases do not change, because migrations only go forward."""
    os.chdir(REPOSITORY)
    run("git", "checkout", "--quiet", "--detach", tag)
    if status := subprocess.run(["azd", "deploy", "--no-prompt"], check=False).returncode:
        raise SystemExit(status)
