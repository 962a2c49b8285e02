"""Send requests with httpx, or with httpx2 if asked to. The only folder that imports either of them.

| File | Topic |
|---|---|
| `backends.py` | httpx or httpx2: choose one, and open its clients |
| `routes.py` | choose the proxy for a host, or none |
| `tls.py` | TLS certificates, one context for all clients |
| `exceptions.py` | classify the exceptions of the backends: was the request sent, did it time out |
| `client_pool.py` | lend clients to calls, and replace worn ones |
| `prepared_request.py` | one request, and its time limits, before the backend builds it |
| `_httpx_streams.py`, `_httpx2_streams.py` | request bodies |
| `connection_trace.py` | what the engine reports of a new connection |
| `name_lookup.py` | look up a name, with a time limit |
| `_async/transport.py` | send such a request, and read its whole response |
| `in_process.py` | a transport to an application in this process: the emulator |
"""

from ._async.transport import AsyncHTTPTransport as AsyncHTTPTransport
from ._sync.transport import HTTPTransport as HTTPTransport
from .backends import AsyncHTTPClient as AsyncHTTPClient
from .backends import BackendName as BackendName
from .backends import HTTPClient as HTTPClient
from .backends import check_backend_name as check_backend_name
from .backends import default_backend as default_backend
from .backends import default_backend_name as default_backend_name
from .prepared_request import CommonHeaders as CommonHeaders
from .prepared_request import PreparedRequest as PreparedRequest
from .prepared_request import SendOptions as SendOptions
from .routes import proxy_of as proxy_of
from .routes import route_to as route_to
from .tls import plain_context as plain_context
