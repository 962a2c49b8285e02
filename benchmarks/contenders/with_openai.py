"""openai: a model of its own base class, by its documented call for endpoints that it has no method for."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import models
import openai
from openai import BaseModel
from running import grown_by, in_tasks, in_turn


def get(base_url):
    model = models.made_of(BaseModel).Envelope
    client = openai.OpenAI(api_key="scripe_sk_test_bench", base_url=base_url)
    return in_turn(lambda: client.get("/jobs/job_1", cast_to=model))


def tasks(base_url, count, aiohttp=""):
    model = models.made_of(BaseModel).Envelope

    async def opened():
        http_client = openai.DefaultAioHttpClient() if aiohttp else None
        client = openai.AsyncOpenAI(
            api_key="scripe_sk_test_bench", base_url=base_url, http_client=http_client
        )

        async def call():
            return await client.get("/jobs/job_1", cast_to=model)

        return call

    return in_tasks(int(count), opened)


def page(path):
    model = models.made_of(BaseModel).Page
    body = Path(path).read_bytes()
    return in_turn(lambda: model.construct(**json.loads(body)))


def put(url, path, trust=""):
    """Its own upload of a file, which is a form."""
    http_client = (
        openai.DefaultHttpxClient(verify=ssl.create_default_context(cafile=trust)) if trust else None
    )
    client = openai.OpenAI(api_key="scripe_sk_test_bench", base_url=url, http_client=http_client)

    def send():
        with Path(path).open("rb") as file:
            client.files.create(file=file, purpose="user_data")

    return lambda _count: {"grown": grown_by(send)}


CASES = {"get": get, "tasks": tasks, "page": page, "put": put}
