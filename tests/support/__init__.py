"""Tools of the tests: a server that answers by script, a clock that does not wait."""
