"""`python -m infra.azure STEP`: does the same as `./notflix azure STEP`, but needs no POSIX shell.

`python -m infra.azure deploy` does the same as `./notflix deploy`.
"""

import sys

from infra.local.cli.azure_commands import azure, deploy
from infra.local.home import CannotRun

azure.command()(deploy)
try:
    azure()
except CannotRun as error:
    sys.exit(str(error))
