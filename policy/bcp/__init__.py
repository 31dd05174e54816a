"""BCP mode: plans written in normal time, declarations by two persons, overlays that end by themselves.

Counterpart: `policy.engine`, which decides with the rules that a declared plan compiles to. Nothing here is ever
written into the base policy: without a declaration the engine is the very object it was.
"""
