"""Tests of the clients, written once as async; `tests/_sync` is generated from here."""
