"""Records of the administration as files to be kept: the one kind of answer that is meant to be saved."""

from aiohttp import web


def attachment(content: bytes, kind: str, name: str) -> web.Response:
    """A file that the browser saves and does not show."""
    return web.Response(
        body=content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
