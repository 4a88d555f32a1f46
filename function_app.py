"""The API app: registers the slices' functions and does nothing else."""

from __future__ import annotations

import azure.functions as func

from functions.accounts.triggers import app as accounts_app
from functions.billing.triggers import app as billing_app
from functions.catalogue.triggers import blueprint as catalogue
from functions.encoding.triggers import app as encoding_app
from functions.health.triggers import app as health_app
from functions.mail.triggers import app as mail_app
from functions.playback.triggers import app as playback_app
from functions.recommendations.triggers import blueprint as recommendations
from functions.uploads.triggers import blueprint as uploads
from functions.usage.triggers import blueprint as usage

app = func.FunctionApp()
for blueprint in (uploads, catalogue, usage, recommendations):
    app.register_functions(blueprint)

SLICES = (accounts_app, billing_app, encoding_app, health_app, mail_app, playback_app)
for each in SLICES:
    app.register_functions(each.blueprint)
