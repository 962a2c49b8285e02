"""aiohttp and requests with a pydantic model, by hand."""

from __future__ import annotations

from pathlib import Path

import models
from pydantic import BaseModel
from running import grown_by, in_tasks, in_turn

HEADERS = {"Authorization": "Bearer scripe_sk_test_bench", "Accept": "application/json"}


def requests_get(base_url):
    import requests

    model = models.made_of(BaseModel, is_aliased=True).Envelope
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

    def send():
        with Path(path).open("rb") as file:
            session.put(url, data=file, headers={"Content-Type": "audio/mpeg"}).raise_for_status()

    return lambda _count: {"grown": grown_by(send)}


def curl_put(url, path, trust=""):
    """A program of its own: what it takes to start it counts too."""
    import resource
    import subprocess

    known = ["--cacert", trust] if trust else []
    headers = ["--header", "Content-Type: audio/mpeg", "--header", "Expect:"]
    command = ["curl", "--silent", "--fail", "--noproxy", "*", *known, *headers, "--upload-file", path, url]

    def batch(_count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "grown": 0.0}

    return batch


def socket_put(url, path, trust=""):
    """No HTTP library: blocks of 1 MB, as fast as a socket takes them."""
    import socket
    import ssl
    from urllib.parse import urlsplit

    address = urlsplit(url)
    size = Path(path).stat().st_size

    def send():
        connection = socket.create_connection((address.hostname, address.port))
        if trust:
            context = ssl.create_default_context(cafile=trust)
            connection = context.wrap_socket(connection, server_hostname=address.hostname)
        head = f"PUT {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {size}\r\n\r\n"
        with connection, Path(path).open("rb", buffering=0) as file:
            connection.sendall(head.encode())
            while block := file.read(1024 * 1024):
                connection.sendall(block)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    return lambda _count: {"grown": grown_by(send)}


def aiohttp_tasks(base_url, count):
    import aiohttp

    model = models.made_of(BaseModel, is_aliased=True).Envelope

    async def opened():
        session = aiohttp.ClientSession(headers=HEADERS)

        async def call():
            async with session.get(f"{base_url}/jobs/job_1") as response:
                response.raise_for_status()
                return model.model_validate_json(await response.read()).data

        return call

    return in_tasks(int(count), opened)


CASES = {
    "requests_get": requests_get,
    "requests_put": requests_put,
    "curl_put": curl_put,
    "socket_put": socket_put,
    "aiohttp_tasks": aiohttp_tasks,
}
