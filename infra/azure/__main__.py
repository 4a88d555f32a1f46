"""`python -m infra.azure STEP`: the same as `./notflix azure STEP`, without the commands that need a POSIX system."""

import sys

from infra.local.cli.azure_commands import azure
from infra.local.home import CannotRun

try:
    azure()
except CannotRun as error:
    sys.exit(str(error))
