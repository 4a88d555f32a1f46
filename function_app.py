"""The API app: registers the slices' functions and does nothing else."""

from __future__ import annotations

import azure.functions as func

from functions.accounts.factor_triggers import app as factors_app
from functions.accounts.profile_triggers import app as profiles_app
from functions.accounts.triggers import app as accounts_app
from functions.audit.triggers import app as audit_app
from functions.billing.report_triggers import app as business_reports_app
from functions.billing.triggers import app as billing_app
from functions.catalogue.triggers import app as catalogue_app
from functions.encoding.triggers import app as encoding_app
from functions.health.triggers import app as health_app
from functions.mail.triggers import app as mail_app
from functions.pages.triggers import app as pages_app
from functions.people.triggers import app as people_app
from functions.playback.triggers import app as playback_app
from functions.recommendations.triggers import app as recommendations_app
from functions.setup.triggers import app as setup_app
from functions.uploads.triggers import app as uploads_app
from functions.usage.triggers import app as usage_app

SLICES = (
    accounts_app,
    factors_app,
    profiles_app,
    audit_app,
    billing_app,
    business_reports_app,
    catalogue_app,
    encoding_app,
    health_app,
    mail_app,
    pages_app,
    people_app,
    playback_app,
    recommendations_app,
    setup_app,
    uploads_app,
    usage_app,
)

app = func.FunctionApp()
for each in SLICES:
    app.register_functions(each.blueprint)
