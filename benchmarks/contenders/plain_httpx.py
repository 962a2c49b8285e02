"""httpx with a pydantic model, by hand: the base of the ratios. `SCRIPE_HTTP=httpx2` puts httpx2 in its place."""

from __future__ import annotations

import importlib
import os
import ssl
from functools import partial
from pathlib import Path

import models
from pydantic import BaseModel, ConfigDict
from running import grown_by, in_tasks, in_turn

family = importlib.import_module(os.environ.get("SCRIPE_HTTP", "httpx"))
HEADERS = {"Authorization": "Bearer scripe_sk_test_bench", "Accept": "application/json"}


def get(base_url):
    model = models.made_of(BaseModel, is_aliased=True).Envelope
    client = family.Client(headers=HEADERS)
    url = f"{base_url}/jobs/job_1"

    def call():
        response = client.get(url)
        response.raise_for_status()
        return model.model_validate_json(response.content).data

    return in_turn(call)


def tasks(base_url, count):
    model = models.made_of(BaseModel, is_aliased=True).Envelope
    url = f"{base_url}/jobs/job_1"

    async def opened():
        client = family.AsyncClient(headers=HEADERS)

        async def call():
            response = await client.get(url)
            response.raise_for_status()
            return model.model_validate_json(response.content).data

        return call

    return in_tasks(int(count), opened)


class Kept(BaseModel):
    """Keeps the fields that it does not know, as an SDK must, lest a new field of the API be lost."""

    model_config = ConfigDict(extra="allow")


def page(path, base=BaseModel):
    """Bytes straight into the model of a page, no call around it."""
    model = models.made_of(base, is_aliased=True).Page
    body = Path(path).read_bytes()
    return in_turn(lambda: model.model_validate_json(body))


def second_client(_base_url):
    family.Client(headers=HEADERS)
    return in_turn(lambda: family.Client(headers=HEADERS))


def put(url, path, trust=""):
    client = family.Client(verify=ssl.create_default_context(cafile=trust) if trust else True)
    size = str(Path(path).stat().st_size)

    def send():
        with Path(path).open("rb") as file:
            headers = {"Content-Type": "audio/mpeg", "Content-Length": size}
            client.put(url, content=file, headers=headers).raise_for_status()

    return lambda _count: {"grown": grown_by(send)}


CASES = {
    "get": get,
    "tasks": tasks,
    "page": page,
    "page_kept": partial(page, base=Kept),
    "second_client": second_client,
    "put": put,
}
