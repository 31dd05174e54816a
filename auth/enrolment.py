"""What a person needs to set up an authenticator: a secret, its URI, its QR code. Pure.

Counterpart: `auth/second_factors.py` seals the secret and confirms it by a first code. The QR code is one inline SVG
element without script, style or link, so the page's strict content policy holds.
"""

import io

import segno

from auth.models import Enrolment
from auth.totp import provisioning_uri
from common.secret import Secret


def enrolment(secret: str, *, account: str, issuer: str) -> Enrolment:
    """The three forms in which the secret is shown, once."""
    uri = provisioning_uri(secret, account=account, issuer=issuer)
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Enrolment(Secret(grouped), Secret(uri), Secret(qr_svg(uri)))


def qr_svg(text: str) -> str:
    """A QR code that scales with its box; white ground so that it can be scanned in dark mode too."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        border=4,
        dark="#000",
        light="#fff",
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    return out.getvalue().decode("utf-8")
