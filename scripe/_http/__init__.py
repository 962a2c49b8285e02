"""Send requests with httpx, or on request with httpx2. The only folder that imports either of them.

| File | Topic |
|---|---|
| `backends.py` | httpx or httpx2: which one, and how its clients are opened |
| `routes.py` | directly or through a proxy; which hosts are this machine |
| `tls.py` | TLS certificates, one context for all clients |
| `exceptions.py` | the backends' exceptions: was the request sent, did it time out |
| `client_pool.py` | the clients that calls go through, and when ours are replaced |
| `prepared_request.py` | one request, and its time limits, before the backend builds it |
| `_httpx_streams.py`, `_httpx2_streams.py` | request bodies |
| `_async/transport.py` | send that request, and read its whole response |
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
from .tls import plain_context as plain_context
