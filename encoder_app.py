"""The encoder app: registers the functions that run beside ffmpeg, no logic."""

import azure.functions as func

from functions.encoding.triggers import encodes

app = func.FunctionApp()
app.register_functions(encodes)
