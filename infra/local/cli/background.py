"""`python -m infra.local.cli.background PIPE OPTIONS`: the supervisor that `up --detach` starts."""

from __future__ import annotations

import json
import logging
import sys

from infra.local.cli.product import Options
from infra.local.cli.running import Pipe, run
from infra.local.home import CannotRun, Home
from infra.local.processes.state import take_lock


def main() -> int:
    """Run until a signal arrives; return the exit code."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    for noisy in ("azure", "neo4j", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    pipe = Pipe(int(sys.argv[1]))
    home = Home.of()
    lock = take_lock(home)
    try:
        if lock is None:
            raise CannotRun("Another command is starting Notflix at the same time; see `./notflix status`.")
        run(home, lock, Options(**json.loads(sys.argv[2])), pipe)
    except CannotRun as error:
        logging.getLogger(__name__).error("%s", error)
        pipe.failed(str(error))
        return 1
    finally:
        pipe.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
