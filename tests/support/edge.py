"""A caching proxy in front of blob storage that behaves like the edge of a CDN: nginx with the CDN's own rules.

- `bunny`: verifies a token first (`edge_rule.js`); the cache key is the path without the query. The query is passed on
  to storage when a file is not in the cache (docs.bunny.net/cdn/vary-cache).
- `front_door`: verifies nothing; the cache key is the path with the whole query, and segments are kept for a short time
  whatever their header says (`infra/modules/edge.bicep`).

Responses say in `X-Cache` whether they came from the cache: HIT or MISS, for instance.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = Path(__file__).with_name("edge_rule.js")
MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
SEGMENTS_S = 300
"""How long Front Door's rule keeps a segment (`cacheDuration` in `infra/modules/edge.bicep`)."""

PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))  # /usr/sbin has Debian's nginx

START_S = 60.0

CONFIGURATION = """
load_module {module};
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  js_path {rules};
  js_import edge from {rule};
  js_set $verdict edge.verdict;
  access_log off;
  client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_temp_path {folder}/proxy;
  proxy_cache_path {folder}/cache keys_zone=films:10m inactive=1h use_temp_path=off;
  map $uri $kind {{ ~\\.(m4s|mp4|vtt|jpg)$ segment; default manifest; }}
  upstream storage {{ server {storage}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    set $token_key "{token_key}";
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host {storage};
    proxy_cache films;
    proxy_cache_lock on;
    add_header X-Cache $upstream_cache_status always;
    {location}
  }}
}}
"""
BUNNY = """
    location / {{
      if ($verdict != yes) {{ return 403 "$verdict"; }}
      proxy_cache_key $uri;
      proxy_pass http://storage{account}/;
    }}
"""
FRONT_DOOR = """
    location / {{
      proxy_cache_key $uri?$args;
      proxy_pass http://storage{account}/;
    }}
    location ~ ^(?<file>/.+\\.(?:m4s|mp4|vtt|jpg))$ {{
      proxy_cache_key $uri?$args;
      proxy_ignore_headers Cache-Control Expires;
      proxy_cache_valid 200 206 {segments_s}s;
      proxy_pass http://storage{account}$file$is_args$args;
    }}
"""
LOCATIONS = {"bunny": BUNNY, "front_door": FRONT_DOOR}


def why_missing() -> str:
    """Return what this machine lacks for an edge; empty if it lacks nothing."""
    if shutil.which("nginx", path=PATH) is None or not MODULE.exists():
        return "nginx with njs is not installed (Debian: nginx-light, libnginx-mod-http-js)"
    return ""


@contextmanager
def running_edge(
    folder: Path, blob_url: str, *, rule: str, token_key: str = "", segments_s: int = SEGMENTS_S
) -> Iterator[str]:
    """Run an edge in front of the blob service at `blob_url`; yield its address."""
    parts = urlsplit(blob_url)
    port = free_port()
    account = parts.path.rstrip("/")
    text = CONFIGURATION.format(
        module=MODULE,
        user="" if os.getuid() else "user root;",  # otherwise the workers could not open the folder
        folder=folder,
        rules=RULE.parent,
        rule=RULE.name,
        storage=parts.netloc,
        port=port,
        token_key=token_key,
        location=LOCATIONS[rule].format(account=account, segments_s=segments_s),
    )
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    nginx = shutil.which("nginx", path=PATH) or ""
    with subprocess.Popen([nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)]) as process:
        try:
            _wait_until_it_answers(process, port, folder)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((folder / "error.log").read_text(encoding="utf-8")) from None
            time.sleep(0.05)
        else:
            connection.close()
            return
