"""Faults on a real socket: a proxy between client and emulator, a table of what it can do, and the matrix of all of it.

`scripts/faults` runs the whole matrix; `scripts/test` runs a sample of it, drawn by a seed.
"""
