"""What the tests of encoding share."""

from __future__ import annotations

import pytest

from tests.support.encoding_world import EncodeWorld


@pytest.fixture
def encode() -> EncodeWorld:
    """Return all of encoding on empty stores in memory."""
    return EncodeWorld()
