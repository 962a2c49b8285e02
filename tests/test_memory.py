"""A file of 150 MB goes up, whole, with the process growing by less than 32 MB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripe.emulator import Emulator

SIZE = 150_000_000

PROGRAM = """
import asyncio, resource, sys
from scripe import AsyncScripe, Scripe

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def upload(url, key, path):
    with Scripe(key, base_url=url) as client:
        client.uploads.upload_file(b"small", content_type="audio/mpeg")
        before = peak()
        client.uploads.upload_file(path)
        return peak() - before

async def async_upload(url, key, path):
    async with AsyncScripe(key, base_url=url) as client:
        await client.uploads.upload_file(b"small", content_type="audio/mpeg")
        before = peak()
        await client.uploads.upload_file(path)
        return peak() - before

world, *rest = sys.argv[1:]
print(upload(*rest) if world == "sync" else asyncio.run(async_upload(*rest)))
"""


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_large_file_takes_little_memory(tmp_path: Path, world: str) -> None:
    path = tmp_path / "large.mp3"
    with path.open("wb") as file:
        file.truncate(SIZE)
    with Emulator() as emulator, emulator.serve() as served:
        command = [sys.executable, "-c", PROGRAM, world, served.base_url, served.api_key, str(path)]
        grown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        puts = [request for request in emulator.requests if request.method == "PUT"]
    assert [request.status for request in puts] == [200, 200]
    assert puts[1].headers["content-length"] == str(SIZE)
    assert int(grown.stdout) < 32 * 1024, f"grew by {grown.stdout.strip()} KiB"
