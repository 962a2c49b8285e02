"""The HTTP engine: httpx, or on request httpx2. The only folder that imports either of them.

| File | What it holds |
|---|---|
| `family.py` | httpx or httpx2: which one, how its clients are opened |
| `routes.py` | directly or through a proxy; what counts as this machine |
| `trust.py` | TLS certificates, one context for all clients |
| `failing.py` | what the engines raise: did the request leave, was it slow |
| `connections.py` | the clients that calls go through, and when ours are replaced |
| `outgoing.py` | one request, before it is the engine's |
| `sending.py` | that request, and its whole response |
| `in_process.py` | a transport to an application in this process: the emulator |
"""

from .backends import AsyncHTTPClient as AsyncHTTPClient
from .backends import BackendName as BackendName
from .backends import HTTPClient as HTTPClient
from .backends import check_backend_name as check_backend_name
from .backends import default_backend as default_backend
from .backends import default_backend_name as default_backend_name
from .prepared_request import CommonHeaders as CommonHeaders
from .prepared_request import PreparedRequest as PreparedRequest
from .tls import plain_context as plain_context
from .transport import AsyncHTTPTransport as AsyncHTTPTransport
from .transport import HTTPTransport as HTTPTransport
from .transport import SendOptions as SendOptions
