"""What the doctor says of one thing. Counterparts: `gateway/doctor.py` and `gateway/doctor_outage.py`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    ok: bool
    text: str
    remedy: str = ""
