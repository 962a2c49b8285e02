"""The source of both clients: all code that waits, written once, as async.

`scripts/unasync.py` generates `_sync` from it. Change this folder, run the script, and commit both.

The decisions (what to send, whether to retry, how long to wait) are in `_core`, which neither waits nor sends. The code
here carries them out.
"""
