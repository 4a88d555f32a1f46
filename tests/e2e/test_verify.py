"""`./notflix azure verify` finds nothing wrong with the local product, whose site and API send what Azure sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.security_headers import API_HEADERS
from infra.site_headers import SITE_HEADERS

if TYPE_CHECKING:
    from tests.support.product import Product


def test_the_local_product_has_every_header_and_admits_only_its_own_site(product: Product) -> None:
    done = product.run("azure", "verify", product.endpoints["site"])
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for name in SITE_HEADERS:
        assert f"✓ The home page has {name}" in lines
    for name in API_HEADERS:
        assert f"✓ An answer of the API has {name}" in lines and f"✓ A refusal of the API has {name}" in lines
    assert "✓ The site can call the API" in lines
    assert "✓ Pages of other origins cannot call the API" in lines
