"""aiohttp and requests with a pydantic model, by hand."""

from __future__ import annotations

from pathlib import Path

import models
from pydantic import BaseModel
from running import in_tasks, in_turn, resident

HEADERS = {"Authorization": "Bearer scripe_sk_test_bench", "Accept": "application/json"}


def requests_get(base_url):
    import requests

    model = models.made_of(BaseModel).Envelope
    session = requests.Session()
    session.headers.update(HEADERS)

    def call():
        response = session.get(f"{base_url}/jobs/job_1")
        response.raise_for_status()
        return model.model_validate_json(response.content).data

    return in_turn(call)


def requests_put(url, path, trust=""):
    import requests

    session = requests.Session()
    session.verify = trust or True

    def batch(_count):
        before = resident()
        with Path(path).open("rb") as file:
            session.put(url, data=file, headers={"Content-Type": "audio/mpeg"}).raise_for_status()
        return {"grown": resident() - before}

    return batch


def aiohttp_tasks(base_url, count):
    import aiohttp

    model = models.made_of(BaseModel).Envelope

    async def opened():
        session = aiohttp.ClientSession(headers=HEADERS)

        async def call():
            async with session.get(f"{base_url}/jobs/job_1") as response:
                response.raise_for_status()
                return model.model_validate_json(await response.read()).data

        return call

    return in_tasks(int(count), opened)


CASES = {"requests_get": requests_get, "requests_put": requests_put, "aiohttp_tasks": aiohttp_tasks}
