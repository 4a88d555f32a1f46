"""The deployed files, with only the packages in requirements.txt, are sufficient: both apps find their functions."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 60_000_000
SETTINGS = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "MONGO_URL": "mongodb://127.0.0.1:1"}
INDEX = """
import json, sys
app = __import__(sys.argv[1]).app
print(json.dumps([function.get_function_name() for function in app.get_functions()]))
"""
ANSWER = """
import azure.functions as func, function_app
for function in function_app.app.get_functions():
    if function.get_function_name() == "list_titles":
        request = func.HttpRequest("GET", "http://127.0.0.1/api/titles", body=b"", params={"limit": "0"})
        answer = function.get_user_function()(request)
        print(answer.status_code, answer.get_body().decode())
"""


def ignored(path: Path) -> list[str]:
    """Return the patterns of an ignore file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all version-controlled files that .funcignore does not exclude."""
    folder = tmp_path_factory.mktemp("api")
    patterns = ignored(REPOSITORY / ".funcignore")
    files = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        if any(fnmatch.fnmatch(part, pattern) for part in name.split("/") for pattern in patterns):
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the Dockerfile copies."""
    folder = tmp_path_factory.mktemp("encoder")
    recipe = (REPOSITORY / "infra" / "encoder.Dockerfile").read_text(encoding="utf-8")
    for line in recipe.splitlines():
        if not line.startswith("COPY") or "/home/site/wwwroot" not in line:
            continue
        *sources, target = line.split()[1:]
        into = folder / target.removeprefix("/home/site/wwwroot").strip("/")
        for name in sources:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into / source.name)
    return folder


def run(deployed: Path, folder: Path, code: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(deployed / "bin" / "python"), "-c", code, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def functions_there_are() -> int:
    """Return the number of functions that both apps declare."""
    declared = re.compile(r"^@(?:app|encoder)\.\w+\(", re.MULTILINE)
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "functions").glob("*/*triggers.py")]
    return sum(len(declared.findall(text)) for text in texts)


def test_the_package_holds_what_runs_and_nothing_else(api: Path) -> None:
    top = {path.name for path in api.iterdir()}
    assert top == {"function_app.py", "host.json", "requirements.txt", "functions", "LICENSE", ".funcignore"}


def test_both_apps_find_all_their_functions(api: Path, encoder: Path, deployed: Path) -> None:
    of_api = json.loads(run(deployed, api, INDEX, "function_app"))
    of_encoder = json.loads(run(deployed, encoder, INDEX, "encoder_app"))
    assert {"start_title", "list_titles", "log_in"} <= set(of_api)
    assert {"plan_encode", "encode_chunk", "encode_audio", "publish_title"} <= set(of_encoder)
    assert not set(of_api) & set(of_encoder)
    assert len(of_api) + len(of_encoder) == functions_there_are()


def test_the_api_answers(api: Path, deployed: Path) -> None:
    status, _, body = run(deployed, api, ANSWER).partition(" ")
    assert (status, json.loads(body)["error"]) == ("422", "malformed")


def test_migrations_are_in_the_image(encoder: Path, deployed: Path) -> None:
    run(deployed, encoder, "import infra.migrations.__main__")
    assert list((encoder / "sql").glob("*/0001_*.sql"))


def test_the_package_is_small(api: Path, deployed: Path, tmp_path: Path) -> None:
    """Measure the zip file that Azure's own build creates: the code and all packages."""
    packed = tmp_path / "package.zip"
    (packages,) = (deployed / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for root in (api, packages):
            for path in root.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts and path.relative_to(root).parts[0] != "pip":
                    archive.write(path, path.relative_to(root))
    assert packed.stat().st_size <= MOST_BYTES
