"""`python -m infra.azure STEP`: does the same as `./notflix azure STEP`, but needs no POSIX shell."""

import sys

from infra.local.cli.azure_commands import azure
from infra.local.home import CannotRun

try:
    azure()
except CannotRun as error:
    sys.exit(str(error))
