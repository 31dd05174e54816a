"""A real nginx in front of a gateway, with the configuration that the documentation gives."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.xvnc import end

_PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "reverse-proxy.md"
ADDRESS: Final = "127.0.0.3"
"""From where it comes to the gateway; people in the tests come from 127.0.0.1."""
_SURROUNDINGS: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {paths}
    proxy_bind {address};
    {documented}
}}
"""


def _documented(port: int, gateway_port: int, certificate: Path, key: Path) -> str:
    """The page's configuration, with our port, certificate and gateway in it; each of its own must be there."""
    found = re.search(r"```nginx\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    given = found[1]
    for theirs, ours in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/nginx/tls/telework.pem", str(certificate)),
        ("/etc/nginx/tls/telework.key", str(key)),
        ("http://127.0.0.1:8080;", f"http://127.0.0.1:{gateway_port};"),
    ):
        assert theirs in given, theirs
        given = given.replace(theirs, ours)
    return given


@contextmanager
def run_nginx(folder: Path, port: int, gateway_port: int, certificate: Path, key: Path) -> Iterator[None]:
    """Serve HTTPS on that port of 127.0.0.1 until the end of the block."""
    folder.mkdir()
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{name}_temp_path {folder / name};" for name in temporary)
    documented = _documented(port, gateway_port, certificate, key)
    (folder / "nginx.conf").write_text(
        _SURROUNDINGS.format(folder=folder, paths=paths, address=ADDRESS, documented=documented)
    )
    process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"])
    try:
        _wait_for(port, process)
        yield
    finally:
        end(process)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)
