"""Decide about OAuth 2.1 without sending anything.

| File | Topic |
|---|---|
| `discovery.py` | the metadata of an authorization server, and which of it is refused |
| `registration.py` | register an application |
| `authorization.py` | the URL for the browser, and what is kept until it comes back |
| `callback.py` | whether a callback belongs to this browser and this request |
| `tokens.py` | requests to the token endpoint, and the tokens in its responses |
| `response.py` | errors of an authorization server |
| `refresh.py` | how often a refresh token is sent, and whether it may be spent |
| `login.py` | a stored login, and what may happen to it |
| `records.py` | what a token store keeps, to and from JSON |
| `token_store.py` | what a token store does, and the names of its records |
"""
