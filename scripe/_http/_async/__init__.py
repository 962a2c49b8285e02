"""The source of both transports. `scripts/unasync.py` generates `_http/_sync` from it."""
