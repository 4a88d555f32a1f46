"""The API app: registers the slices' functions and does nothing else."""

from __future__ import annotations

import azure.functions as func

from functions.accounts.triggers import blueprint as accounts
from functions.billing.triggers import app as billing_app
from functions.catalogue.triggers import blueprint as catalogue
from functions.encoding.triggers import jobs
from functions.health.triggers import app as health_app
from functions.mail.triggers import app as mail_app
from functions.playback.triggers import app as playback_app
from functions.recommendations.triggers import blueprint as recommendations
from functions.uploads.triggers import blueprint as uploads
from functions.usage.triggers import blueprint as usage

app = func.FunctionApp()
for blueprint in (uploads, jobs, catalogue, accounts, usage, recommendations):
    app.register_functions(blueprint)

SLICES = (health_app, mail_app, billing_app, playback_app)
for each in SLICES:
    app.register_functions(each.blueprint)
