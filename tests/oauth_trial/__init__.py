"""OAuth with real browsers, other clients, other servers, and processes that meet or are killed: no login is lost.

Run by `scripts/oauth-trial`, not by pytest.
"""
