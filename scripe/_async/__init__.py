"""The source of both clients: everything that waits, written once, as async.

`scripts/unasync.py` makes `_sync` of it. Change this one, run the script, commit both.
"""
