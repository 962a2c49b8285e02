"""Runs of programs with a ledger that are killed, put to sleep, refused and not answered: each thing is made once.

Run by `scripts/ledger-trial`, not by pytest.
"""
