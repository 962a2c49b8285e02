"""Test the command line through `main` or a real process."""
