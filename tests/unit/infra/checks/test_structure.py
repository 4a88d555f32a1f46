"""Modules and dependencies are counted once each, regardless of the form of an import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.checks.structure import dependencies_of, modules_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package `shop` with two folders and two loose files."""
    files = {
        "__init__.py": "from shop import orders\n",
        "errors.py": "import json\n",
        "bootstrap.py": "def make():\n    from shop.orders.service import Orders\n    import shop.stock\n",
        "orders/__init__.py": "",
        "orders/service.py": "from shop.orders.model import A\nfrom ..errors import B\nfrom shop import errors\n",
        "orders/model.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.stock import C\n",
        "stock/__init__.py": "",
        "stock/model.py": "import shopping.orders\n",
    }
    for name, text in files.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "shop"


def test_folders_and_loose_files_are_modules(package: Path) -> None:
    assert modules_of(package) == ["bootstrap", "errors", "orders", "stock"]


def test_a_dependency_counts_once_and_includes_imports_of_types_and_inside_functions(package: Path) -> None:
    assert dependencies_of(package) == [
        ("bootstrap", "orders"),
        ("bootstrap", "stock"),
        ("orders", "errors"),
        ("orders", "stock"),
    ]
