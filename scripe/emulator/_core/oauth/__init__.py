"""Let people log in: an OAuth 2.1 authorization server, with tokens that work on the API.

    authorization_server.py  its paths, its metadata, the endpoints for tokens, registration and revocation
    authorization.py         the authorization endpoint: what it refuses, the consent page, the code
    consent_page.py          the HTML of the consent page
    clients.py               registered clients, their redirect URIs, and how they authenticate
    grants.py                users, codes, access tokens and refresh tokens
    parameters.py            queries and forms
    controls.py              `Emulator.oauth`

It follows RFC 6749 with the changes of OAuth 2.1 (RFC 9700), and RFC 7009, 7591, 7636, 8414 and 9207.
"""
