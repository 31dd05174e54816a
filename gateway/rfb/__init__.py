"""The sans-I/O wire filter: RFB judged and rebuilt without a socket, a clock or a log. Driven by gateway.relay."""
