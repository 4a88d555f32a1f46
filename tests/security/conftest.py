"""Fixtures of the security tests: a copy of the product that only they use, its callers, and the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.home import REPOSITORY
from tests.support.environments import python_environment
from tests.support.product import running_product
from tests.support.viewers import make_administrator, make_subscriber, make_viewer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Start a product without demonstration films, for these tests only, because they fill it with data."""
    with running_product() as running:
        yield running


@pytest.fixture(scope="session")
def viewer(product: Product) -> SomeViewer:
    """Return a logged-in viewer who may play every title."""
    return make_subscriber(product.endpoints)


@pytest.fixture(scope="session")
def newcomer(product: Product) -> SomeViewer:
    """Return a logged-in viewer without any access."""
    return make_viewer(product.endpoints)


@pytest.fixture(scope="session")
def administrator(product: Product) -> SomeViewer:
    """Return a logged-in administrator."""
    return make_administrator(product)


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the folder with the programs of the security tools."""
    return python_environment("security", REPOSITORY / "tests" / "security" / "requirements.txt") / "bin"
