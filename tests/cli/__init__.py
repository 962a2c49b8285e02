"""The command line, by its public surface: `main`, or a real process."""
