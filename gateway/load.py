"""How busy this gateway's machine is, for capacity rules. Counterpart: `gateway/judge.py`."""

import os


def machine_load_percent() -> int:
    """Runnable programs over the last minute, in percent of the processors; 100 when all are busy or more."""
    processors = len(os.sched_getaffinity(0))
    return min(100, round(100 * os.getloadavg()[0] / processors))
