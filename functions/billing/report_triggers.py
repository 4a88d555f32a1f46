"""The route of the owner's report on subscribers, revenue and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from functions.billing.report_schemas import BusinessQuery, BusinessReport

app = SliceApp(bootstrap, "functions.billing.report_schemas")


@app.get("reports/business", caller=OWNER)
def report_business(query: BusinessQuery) -> BusinessReport:
    """Return subscribers, churn, revenue and webhooks of the last days."""
    from functions.billing.report_schemas import BusinessReport

    return BusinessReport.of(bootstrap.billing().reports.business(query.days))
