"""anthropic: a model of its own base class, by its documented call for endpoints that it has no method for."""

from __future__ import annotations

import json
from pathlib import Path

import anthropic
import models
from anthropic import BaseModel
from running import in_tasks, in_turn


def get(base_url):
    model = models.made_of(BaseModel).Envelope
    client = anthropic.Anthropic(api_key="scripe_sk_test_bench", base_url=base_url.removesuffix("/v1"))
    return in_turn(lambda: client.get("/v1/jobs/job_1", cast_to=model))


def tasks(base_url, count, aiohttp=""):
    model = models.made_of(BaseModel).Envelope

    async def opened():
        http_client = anthropic.DefaultAioHttpClient() if aiohttp else None
        client = anthropic.AsyncAnthropic(
            api_key="scripe_sk_test_bench", base_url=base_url.removesuffix("/v1"), http_client=http_client
        )

        async def call():
            return await client.get("/v1/jobs/job_1", cast_to=model)

        return call

    return in_tasks(int(count), opened)


def page(path):
    model = models.made_of(BaseModel).Page
    body = Path(path).read_bytes()
    return in_turn(lambda: model.construct(**json.loads(body)))


CASES = {"get": get, "tasks": tasks, "page": page}
