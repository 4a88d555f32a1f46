"""The API app: registers the slices' functions and does nothing else."""

from __future__ import annotations

import azure.functions as func

from functions.catalogue.triggers import blueprint as catalogue
from functions.health.triggers import blueprint as health
from functions.playback.triggers import blueprint as playback

app = func.FunctionApp()
for blueprint in (catalogue, playback, health):
    app.register_functions(blueprint)
