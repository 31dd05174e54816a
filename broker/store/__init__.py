"""All SQL of the broker, one module per subject. Counterpart: the services of `broker/`, the only importers.

A query without a tenant is a bug, but for the sweeps, which look after every tenant and say so. State changes are
compare-and-set; what must hold at once (seats, one live session per person and pool) is decided under a lock on the
pool's row and held by unique indexes besides.
"""

from broker.store.admission import AdmissionStore
from broker.store.clearing import ClearingStore
from broker.store.duties import DutyStore
from broker.store.pools import PoolStore
from broker.store.sessions import SessionStore
from broker.store.targets import TargetStore
from broker.store.tickets import TicketStore
from broker.store.worked_days import WorkedDayStore

__all__ = [
    "AdmissionStore",
    "ClearingStore",
    "DutyStore",
    "PoolStore",
    "SessionStore",
    "TargetStore",
    "TicketStore",
    "WorkedDayStore",
]
