"""The encoder app: registers the functions that run beside ffmpeg, no logic."""

import azure.functions as func

from functions.encoding.triggers import encoder

app = func.FunctionApp()
SLICES = (encoder,)
for each in SLICES:
    app.register_functions(each.blueprint)
