"""`python -m gateway.cli` is the `kakehashi` command."""

from gateway.cli.root import main

main()
