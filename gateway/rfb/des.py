"""VNC Authentication's challenge response (RFC 6143 7.2.2). Counterpart: gateway.rfb.handshake, toward old targets.

DES with 8 password bytes is worthless against an eavesdropper: it proves nothing on a clear network. It exists because
many RFB servers offer nothing better; the operator's settings decide where it may be used.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


def _reversed_bits(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)


def vnc_response(challenge: bytes, password: str) -> bytes:
    """The 16-byte answer to a 16-byte challenge; only the first 8 bytes of the password count (as Latin-1 or UTF-8)."""
    try:
        secret = password.encode("latin-1")
    except UnicodeEncodeError:
        secret = password.encode()
    # Each key byte is used with its bits reversed, a habit of the first implementation; DES = 3DES with one key thrice.
    key = bytes(_reversed_bits(byte) for byte in secret[:8].ljust(8, b"\0"))
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305 - the protocol has no other mode
    return encryptor.update(challenge) + encryptor.finalize()
