"""The source of both transports, written once as async; `_http/_sync` is generated from it."""
