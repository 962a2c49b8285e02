"""Python SDK for the Scripe API v1: recordings, files and notes in, LinkedIn posts out.

    from scripe import Scripe

    client = Scripe()
    source = client.sources.ingest("podcast.m4a", project_id="proj_…")

Every name is loaded when it is first used.
"""

from . import _lazy
from ._version import __version__ as __version__

# Type checkers know it by its name; to import it from `typing` takes longer than all else.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from . import errors as errors
    from . import types as types
    from ._async.client import AsyncScripe as AsyncScripe
    from ._async.pager import AsyncPager as AsyncPager
    from ._bulk_report import BulkReport as BulkReport
    from ._core.diagnosis import Diagnosis as Diagnosis
    from ._core.diagnosis import DiagnosisCheck as DiagnosisCheck
    from ._core.fact_probes import FactObservation as FactObservation
    from ._core.idempotency import idempotency_key as idempotency_key
    from ._core.rate_limit import RateLimiter as RateLimiter
    from ._ledger import Ledger as Ledger
    from ._sync.client import Scripe as Scripe
    from ._sync.pager import Pager as Pager
    from .errors import *  # noqa: F403 - its `__all__`
    from .types import *  # noqa: F403 - its `__all__`
else:
    _MODULES = {
        "__version__": "._version",
        "AsyncPager": "._async.pager",
        "AsyncScripe": "._async.client",
        "BulkReport": "._bulk_report",
        "Diagnosis": "._core.diagnosis",
        "DiagnosisCheck": "._core.diagnosis",
        "FactObservation": "._core.fact_probes",
        "Ledger": "._ledger",
        "Pager": "._sync.pager",
        "RateLimiter": "._core.rate_limit",
        "Scripe": "._sync.client",
        "idempotency_key": "._core.idempotency",
    }
    __getattr__, __dir__ = _lazy.make_lazy_exports(__name__, _MODULES, reexported=("errors", "types"))
