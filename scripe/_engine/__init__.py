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

from .family import AsyncHTTPClient as AsyncHTTPClient
from .family import EngineName as EngineName
from .family import HTTPClient as HTTPClient
from .family import check_engine as check_engine
from .family import default_engine as default_engine
from .family import default_family as default_family
from .outgoing import CommonHeaders as CommonHeaders
from .outgoing import Outgoing as Outgoing
from .sending import AsyncEngine as AsyncEngine
from .sending import Engine as Engine
from .sending import Limits as Limits
from .trust import plain_context as plain_context
