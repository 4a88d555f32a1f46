"""What the tests of billing share: a modelled PayPal with one viewer, and a server for webhook certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.platform.viewer import Viewer
from tests.support.billing import ModelledBilling, make_user_id
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.web import Answer, WebServer
from tests.support.webhooks import AUTHORITY, SIGNER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def billing() -> ModelledBilling:
    return ModelledBilling(MemorySubscriptions(), MemoryPayments())


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(make_user_id(), "ada@example.org", confirmed=True)


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Serve the genuine certificate."""
    with WebServer(Answer(SIGNER.chain.encode())) as running:
        yield running


@pytest.fixture
def ca(tmp_path: Path) -> str:
    """Return the file of the trusted certificate authority."""
    path = tmp_path / "root.pem"
    path.write_text(AUTHORITY.root)
    return str(path)
