"""The demo: a whole sample city on one machine. Counterpart: `kakehashi demo`; nothing of the gateway imports it."""
