"""httpx with a pydantic model, by hand: the base of the ratios. `SCRIPE_HTTP=httpx2` puts httpx2 in its place."""

from __future__ import annotations

import importlib
import os
import ssl
from pathlib import Path

import models
from pydantic import BaseModel
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


def page(path):
    """Bytes straight into the model of a page, no call around it."""
    model = models.made_of(BaseModel, is_aliased=True).Page
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


CASES = {"get": get, "tasks": tasks, "page": page, "second_client": second_client, "put": put}
