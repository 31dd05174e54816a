"""The HTTP gateway: composition root, routes with permissions, thin handlers, relay. Holds no SQL and no policy."""
