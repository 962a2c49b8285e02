"""stripe: an object of its own, by its documented calls."""

from __future__ import annotations

import json
from pathlib import Path

import stripe
from running import in_tasks, in_turn

KEY = "sk_test_bench"


def get(base_url):
    client = stripe.StripeClient(KEY, base_addresses={"api": base_url.removesuffix("/v1")})
    return in_turn(lambda: client.v1.customers.retrieve("job_1"))


def tasks(base_url, count):
    async def opened():
        addresses = {"api": base_url.removesuffix("/v1")}
        client = stripe.StripeClient(KEY, base_addresses=addresses, http_client=stripe.HTTPXClient())

        async def call():
            return await client.v1.customers.retrieve_async("job_1")

        return call

    return in_tasks(int(count), opened)


def page(path):
    body = Path(path).read_bytes()
    return in_turn(lambda: stripe.ListObject.construct_from({"object": "list", **json.loads(body)}, KEY))


CASES = {"get": get, "tasks": tasks, "page": page}
