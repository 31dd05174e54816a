"""The QR code is plain SVG that a strict content policy lets through."""

from xml.etree import ElementTree as ET

from auth.enrolment import enrolment

SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_three_forms_of_one_secret() -> None:
    shown = enrolment(SECRET, account="sato", issuer="架け橋市")
    assert shown.secret.reveal().replace(" ", "") == SECRET
    assert f"secret={SECRET}" in shown.otpauth_uri.reveal()
    assert SECRET not in repr(shown)


def test_the_svg_has_no_script_style_or_link() -> None:
    root = ET.fromstring(enrolment(SECRET, account="sato<script>", issuer="<b>市").qr_svg.reveal())  # noqa: S314 - our own text
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in ("svg", "path")
        assert set(element.attrib) <= {"viewBox", "d", "fill", "stroke", "transform", "class"}
    assert "width" not in root.attrib  # it scales with its box
