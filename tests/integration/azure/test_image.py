"""The image's build steps succeed; the image, run as its unprivileged user, encodes a film on receipt of a message."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.platform.messages import PlanEncode
from infra.local.cli.product import ENCODER_QUEUES
from infra.local.home import REPOSITORY, Home
from tests.support.films import FILMS
from tests.support.image import Image, build
from tests.support.media import make_film
from tests.support.waiting import eventually
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

RECIPE = REPOSITORY / "infra" / "encoder.Dockerfile"
HOST_PACKAGES = "/opt/host"
OF_THE_HOST = ("azure-functions-runtime", "httptools", "starlette", "uvicorn")
"""The packages that the host needs in addition to those of the app."""

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter another root"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="debootstrap is not installed"),
]


@pytest.fixture(scope="module")
def image() -> Image:
    """Return the image, with our functions host instead of the host in its base image."""
    made = build(RECIPE, REPOSITORY, Home.of().packages / "image")
    packages = made.root / HOST_PACKAGES.lstrip("/")
    wanted = [line for line in _requirements() if line.startswith(OF_THE_HOST)]
    installed = packages / "installed.txt"  # an image is kept from an earlier run
    if not installed.exists() or installed.read_text(encoding="utf-8").splitlines() != wanted:
        shutil.rmtree(packages, ignore_errors=True)
        as_root = Image(made.root, {**made.environment, "HOME": "/root"})
        as_root.run("python", "-m", "pip", "install", "-q", "--no-cache-dir", "--target", HOST_PACKAGES, *wanted)
        installed.write_text("\n".join(wanted), encoding="utf-8")
    local = made.root / "home/site/wwwroot/infra/local"
    shutil.rmtree(local, ignore_errors=True)
    shutil.copytree(REPOSITORY / "infra/local/host", local / "host", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "quiet_server.py"):
        shutil.copyfile(REPOSITORY / "infra/local" / name, local / name)
    return made


@pytest.fixture
def encoder(image: Image, stack: Stack, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the encoder app in the image, with the settings of the stores."""
    settings = {
        "AzureWebJobsStorage": stack.environment["AzureWebJobsStorage"],
        "MONGO_URL": stack.environment["MONGO_URL"],
        "PYTHON_THREADPOOL_THREAD_COUNT": ENCODER_QUEUES["PYTHON_THREADPOOL_THREAD_COUNT"],
        "PYTHONPATH": f"/home/site/wwwroot:{HOST_PACKAGES}",
    }
    argv = ("python", "-m", "infra.local.host", "--app", "encoder_app", "--port", str(stack.home.ports.encoder(0)))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            image.command(*argv, environment=settings), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture
def wired(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connect the composition root to the stores."""
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    forget_all()
    yield
    forget_all()


def _requirements() -> list[str]:
    return (REPOSITORY / "infra" / "local" / "requirements.in").read_text(encoding="utf-8").splitlines()


@pytest.mark.extended
def test_the_image_holds_ffmpeg_and_an_ordinary_user(image: Image) -> None:
    assert "libx264" in image.run("ffmpeg", "-hide_banner", "-encoders")
    assert image.run("id", "-u").strip() == "10001"


@pytest.mark.extended
def test_migrations_start_in_the_image(image: Image) -> None:
    assert "--admin-url" in image.run("python", "-m", "infra.migrations", "--help")


@pytest.mark.extended
@pytest.mark.usefixtures("wired")
def test_a_message_becomes_a_film_in_the_image(encoder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    film = make_film(FILMS["exactly one segment"], tmp_path)
    bootstrap.resources.blob_service().get_container_client("uploads").upload_blob("Imaged Film.mp4", film.read_bytes())
    arrival = bootstrap.uploads().record_arrival("Imaged Film.mp4")
    assert arrival and arrival.job_id
    bootstrap.resources.queues().send(PlanEncode(arrival.job_id))

    def ended() -> str:
        assert encoder.poll() is None, (tmp_path / "log").read_text()
        job = bootstrap.encodes().progress(str(arrival.job_id))
        return job.status if job and job.status in ("ready", "failed") else ""

    status = eventually(ended, every_s=0.5)
    job = bootstrap.encodes().progress(arrival.job_id)
    assert status == "ready", f"{job and job.reason}\n{(tmp_path / 'log').read_text()}"
    folder = bootstrap.resources.blob_service().get_container_client(f"title-{arrival.title_id}")
    names = {blob.name.rpartition("/")[2] for blob in folder.list_blobs()}
    assert {"manifest.mpd", "master.m3u8", "init.mp4", "s00000.m4s"} <= names
