"""Serve the built site on this machine alone, on port 8000, another free one, or the one that ``PORT`` names.

``PAGE`` names the page whose address is told.
"""

import functools
import http.server
import os
import sys
from pathlib import Path

SITE = Path("_build", "html")
DEFAULT_PORT = 8000


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about each; a browser asks again instead of showing yesterday's page."""

    def log_message(self, *_: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


class Server(http.server.ThreadingHTTPServer):
    # Windows would let two servers share a port; elsewhere a restart should not wait for the old connections.
    allow_reuse_address = os.name == "posix"


def main() -> int:
    if not (SITE / "index.html").exists():
        print("The site is not built: run `make site` first.", file=sys.stderr)
        return 1
    page = os.environ.get("PAGE", "").strip()
    if not (SITE / page).exists():
        print(f"The site has no page {page}: is it in _toc.yml?", file=sys.stderr)
        return 1
    wanted = os.environ.get("PORT", "").strip()
    if wanted and not (wanted.isdecimal() and 0 < int(wanted) < 65536):
        print(f"PORT must be a number from 1 to 65535, not {wanted!r}.", file=sys.stderr)
        return 1
    # Port 0 lets the system choose a free one.
    for port in [int(wanted)] if wanted else [DEFAULT_PORT, 0]:
        try:
            server = Server(("127.0.0.1", port), functools.partial(Handler, directory=SITE))
            break
        except OSError as problem:
            reason = problem.strerror
    else:
        print(f"Cannot serve on port {wanted}: {reason}.", file=sys.stderr)
        return 1
    try:
        print(f"The book is at http://127.0.0.1:{server.server_port}/{page} (Ctrl-C stops it)", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
