"""Whole programs: what a process does that imports a library, and that makes its first typed call.

`sys.argv[1]` is the URL of the API.
"""

BARE = "pass"
STACK = "import httpx, tenacity; from pydantic import BaseModel"

_MODELS = f"""
import sys
sys.path.insert(0, {__file__.rpartition("/")[0] + "/contenders"!r})
"""

ONE_MODEL = """
import sys
import httpx
from datetime import datetime
from pydantic import BaseModel

class Job(BaseModel):
    id: str
    type: str
    status: str
    projectId: str | None = None
    startedAt: datetime | None = None
    completedAt: datetime | None = None
    progress: dict[str, object] | None = None
    result: dict[str, object] | None = None
    errorCode: str | None = None
    errorMessage: str | None = None
    attemptCount: int = 0
    estimatedCompletionMs: int | None = None
    createdAt: datetime
    updatedAt: datetime | None = None

class Envelope(BaseModel):
    data: Job

"""

PLAIN = (
    ONE_MODEL
    + """
with httpx.Client(headers={"Authorization": "Bearer k"}) as client:
    response = client.get(sys.argv[1] + "/jobs/job_1")
    response.raise_for_status()
    assert Envelope.model_validate_json(response.content).data.status == "RUNNING"
"""
)

PLAIN_ASYNC = (
    "import asyncio\n"
    + ONE_MODEL
    + """
async def main():
    async with httpx.AsyncClient(headers={"Authorization": "Bearer k"}) as client:
        response = await client.get(sys.argv[1] + "/jobs/job_1")
        response.raise_for_status()
        assert Envelope.model_validate_json(response.content).data.status == "RUNNING"

asyncio.run(main())
"""
)

SCRIPE = """
import sys
from scripe import Scripe
with Scripe(base_url=sys.argv[1]) as client:
    assert client.jobs.retrieve("job_1").status == "RUNNING"
"""

SCRIPE_ASYNC = """
import asyncio, sys
from scripe import AsyncScripe

async def main():
    async with AsyncScripe(base_url=sys.argv[1]) as client:
        assert (await client.jobs.retrieve("job_1")).status == "RUNNING"

asyncio.run(main())
"""

OPENAI = (
    _MODELS
    + """
import openai, models
client = openai.OpenAI(api_key="k", base_url=sys.argv[1])
model = models.made_of(openai.BaseModel).Envelope
assert client.get("/jobs/job_1", cast_to=model).data.status == "RUNNING"
"""
)

ANTHROPIC = (
    _MODELS
    + """
import anthropic, models
client = anthropic.Anthropic(api_key="k", base_url=sys.argv[1].removesuffix("/v1"))
model = models.made_of(anthropic.BaseModel).Envelope
assert client.get("/v1/jobs/job_1", cast_to=model).data.status == "RUNNING"
"""
)

STRIPE = """
import stripe, sys
client = stripe.StripeClient("sk_test_bench", base_addresses={"api": sys.argv[1].removesuffix("/v1")})
assert client.v1.customers.retrieve("job_1")["data"]["status"] == "RUNNING"
"""

_ANSWER = """
import httpx, json, sys
BODY = json.dumps({"data": {"id": "job_1", "type": "SOURCE_INGEST_FILE", "status": "RUNNING", "attemptCount": 1,
    "createdAt": "2026-05-15T08:21:00.000Z", "updatedAt": None}}).encode()
HEADERS = {"Content-Type": "application/json", "X-Request-Id": "req_1", "X-RateLimit-Limit": "1000000",
    "X-RateLimit-Remaining": "999999", "X-RateLimit-Reset": "60"}
TRANSPORT = httpx.MockTransport(lambda request: httpx.Response(200, headers=HEADERS, content=BODY))
"""

# The same call so many times over a transport in the process: the difference of two counts is what calls alone take.
PLAIN_CALLS = (
    ONE_MODEL
    + _ANSWER
    + """
with httpx.Client(transport=TRANSPORT, headers={"Authorization": "Bearer k"}) as client:
    for _ in range(int(sys.argv[1])):
        Envelope.model_validate_json(client.get("http://127.0.0.1/v1/jobs/job_1").content)
"""
)

SCRIPE_CALLS = (
    _ANSWER
    + """
from scripe import Scripe
with Scripe(base_url="http://127.0.0.1/v1", http_client=httpx.Client(transport=TRANSPORT)) as client:
    for _ in range(int(sys.argv[1])):
        client.jobs.retrieve("job_1")
"""
)


def on_httpx2(program: str) -> str:
    return program.replace("import httpx", "import httpx2 as httpx")
