"""All SQL of auth, one module per kind of row. Each method is one use case in one transaction, for one tenant.

Whatever may happen only once (a TOTP counter, a recovery code, the end of a login) is a conditional UPDATE or DELETE
whose row count decides. Only hashes of cookies and codes are stored. The values are in `auth/rows.py`.
"""

from auth.store.counters import CounterStore
from auth.store.factors import FactorStore
from auth.store.logins import LoginStore
from auth.store.people import PeopleStore
from auth.store.sessions import SessionStore
from auth.store.verifiers import VerifierStore
from auth.store.vouches import VouchStore

__all__ = ["CounterStore", "FactorStore", "LoginStore", "PeopleStore", "SessionStore", "VerifierStore", "VouchStore"]
