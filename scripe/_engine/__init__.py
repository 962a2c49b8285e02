"""The HTTP engine: httpx, or httpx2 on request. The only folder that imports either.

| File | What it holds |
|---|---|
| `family.py` | httpx or httpx2: which one, how its clients are opened |
| `connections.py` | the clients that calls go through, and when ours are replaced |
| `sending.py` | one request, and its whole answer |
| `leaving.py` | blocking work that its caller can walk away from |
| `in_process.py` | a transport to an application in this process: the emulator |
"""

from .family import AsyncHTTPClient as AsyncHTTPClient
from .family import HTTPClient as HTTPClient
from .family import default_family as default_family
from .sending import AsyncEngine as AsyncEngine
from .sending import Engine as Engine
from .sending import Limits as Limits
