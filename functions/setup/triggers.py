"""The functions of the set-up: HTTP routes for the owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_studio
from functions.platform.errors import TooManyAttempts
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from functions.setup.schemas import PartId, ServiceTest, SetupOverview

app = SliceApp(bootstrap, "functions.setup.schemas")


@app.get("setup", caller=OWNER)
def get_setup() -> SetupOverview:
    """Return what is configured and what is not, without the values of settings."""
    from functions.setup.schemas import SetupOverview

    return SetupOverview.of(bootstrap_studio.setup().overview())


@app.post("setup/{id}/test", caller=OWNER, raises=[TooManyAttempts], offload=True, changes=False)
def try_service(id: PartId, owner: str) -> ServiceTest:
    """Query a service with the configured credentials, or send the owner a test email, and say what happened."""
    from functions.setup.model import Part
    from functions.setup.schemas import ServiceTest

    return ServiceTest.of(bootstrap_studio.setup().test(Part(id), by=owner))
