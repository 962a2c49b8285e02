"""Answer requests as the API does: no port, no client, and of scripe only the vocabulary."""
