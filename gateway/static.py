"""Serves the built web client from memory: no path of a request ever reaches the file system."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from common.errors import ConfigError, NotFound

_COMPRESSIBLE: Final = ("text/", "application/javascript", "image/svg+xml", "application/json")
_TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_PAGE: Final = "index.html"
_FILE: Final = re.compile(r"\.[A-Za-z]")
"""In the last part of a path: a file that should be there. The page of a plan ends in its version: "quake.2"."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to send."""

    content_type: str
    plain: bytes
    gzipped: bytes | None


class WebClient:
    """All files of the bundle, by URL path."""

    def __init__(self, root: Path) -> None:
        """Read the bundle. Raises ConfigError when it was not built."""
        if not (root / _PAGE).is_file():
            raise ConfigError(f"no web client in {root}: build it (make build) or set http.web_root")
        self._assets = {
            "/" + file.relative_to(root).as_posix(): _asset(file) for file in sorted(root.rglob("*")) if file.is_file()
        }

    async def serve(self, request: web.Request) -> web.Response:
        """GET: a file of the bundle, or the page itself for the client's own routes."""
        asset = self._assets.get(request.path)
        if asset is None:
            last = request.path.rsplit("/", 1)[-1]
            if _FILE.search(last) or request.path.startswith(("/api/", "/assets/")):
                raise NotFound("no such file in the web client")
            asset = self._assets["/" + _PAGE]
        headers = {"Vary": "Accept-Encoding"}
        content = asset.plain
        if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = asset.gzipped
        text = asset.content_type.startswith("text/")
        return web.Response(
            body=content, content_type=asset.content_type, charset="utf-8" if text else None, headers=headers
        )


def _asset(file: Path) -> Asset:
    plain = file.read_bytes()
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packed = gzip.compress(plain, 9, mtime=0) if kind.startswith(_COMPRESSIBLE) and len(plain) > 500 else None
    return Asset(kind, plain, packed)
