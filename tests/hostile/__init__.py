"""Answers that nobody should send: every one is a value or an error of the tree, in bounded time and memory."""
