"""Decide about OAuth 2.1 without sending anything.

| File | Topic |
|---|---|
| `token_store.py` | what a token store keeps, and under which name |
"""
