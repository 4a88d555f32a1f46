"""The security headers of the site: the local site server sends them, Front Door adds them, `azure verify` checks them.

They are in a JSON file, because the Bicep template (infra/modules/edge.bicep) reads the same file. Each page also has a
policy in a `<meta>`; `frame-ancestors` is here, because browsers ignore it in a `<meta>`.
"""

import json
from pathlib import Path

_FILE = Path(__file__).parent / "site_headers.json"

SITE_HEADERS: dict[str, str] = {each["name"]: each["value"] for each in json.loads(_FILE.read_text(encoding="utf-8"))}
