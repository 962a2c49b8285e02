"""A server with a proxy before it, plain and over TLS, and what stands ready there."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import trustme

from scripe import AsyncScripe, Scripe
from scripe._http import AsyncHTTPClient, HTTPClient, default_backend
from scripe.emulator import Emulator
from tests._sync.operations import WORDS, Place
from tests.faults.proxy import FaultProxy

TIMEOUT = 1.0
DEADLINE = 6.0
PLENTY = 1_000_000
KINDS = ("jobs", "sources", "uploads", "notes", "posts", "knowledge", "webhook_endpoints")


@dataclass(frozen=True)
class Stand:
    """One emulator on a port, and its proxies."""

    emulator: Emulator
    plain: FaultProxy
    tls: FaultProxy
    trust: ssl.SSLContext
    _place: Place
    _job_status: str

    def place(self) -> Place:
        """What stands ready, with a job of its own: queued where jobs stand still, else done."""
        (job_id,) = self.emulator.seed(jobs=1, job_status=self._job_status).job_ids
        return Place(**{**vars(self._place), "job_id": job_id})

    def counts(self) -> dict[str, int]:
        """How many records there are, once all jobs that move have ended."""
        if self._job_status == "DONE":
            self.emulator.clock.advance(60)
        return {kind: self.emulator.count(kind) for kind in KINDS}

    def client(self, proxy: FaultProxy) -> tuple[Scripe, HTTPClient | None]:
        engine = default_backend().Client(verify=self.trust) if proxy is self.tls else None
        made = Scripe(
            self.emulator.api_key,
            base_url=proxy.base_url,
            timeout=TIMEOUT,
            total_timeout=DEADLINE,
            http_client=engine,
        )
        return made, engine

    def async_client(self, proxy: FaultProxy) -> tuple[AsyncScripe, AsyncHTTPClient | None]:
        engine = default_backend().AsyncClient(verify=self.trust) if proxy is self.tls else None
        made = AsyncScripe(
            self.emulator.api_key,
            base_url=proxy.base_url,
            timeout=TIMEOUT,
            total_timeout=DEADLINE,
            http_client=engine,
        )
        return made, engine


def unlimited(job_speed: float) -> Emulator:
    """An emulator without limits, whose jobs move so much faster than usual; 0 lets them stand still."""
    return Emulator(
        plan="ENTERPRISE",
        job_speed=job_speed,
        max_recorded_requests=1000,
        read_limit=PLENTY,
        write_limit=PLENTY,
        upload_limit=PLENTY,
        generation_limit=PLENTY,
    )


@contextmanager
def open_stand(authority: trustme.CA, speed: float) -> Generator[Stand]:
    """A stand whose jobs move so much faster than usual; 0 lets them stand still."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)  # pyright: ignore[reportUnknownMemberType]
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(own)  # pyright: ignore[reportUnknownMemberType]
    with ExitStack() as stack:
        emulator = stack.enter_context(unlimited(speed))
        address = urlsplit(stack.enter_context(emulator.serve()).base_url)
        upstream = (str(address.hostname), int(address.port or 0))
        plain = stack.enter_context(FaultProxy(upstream))
        tls = stack.enter_context(FaultProxy(upstream, context=own))
        yield Stand(emulator, plain, tls, trust, furnished(emulator), "DONE" if speed else "QUEUED")


def furnished(emulator: Emulator) -> Place:
    """A new emulator with one of each on it."""
    seeded = emulator.seed(jobs=3, sources=1, notes=1, posts=1)
    with emulator.client() as client:
        upload = client.uploads.upload_file(WORDS, content_type="text/plain")
        endpoint = client.webhook_endpoints.create(
            name="Newsroom", url="https://example.com/hook", events=["post.created"]
        )
    return Place(
        project_id=emulator.project_id,
        source_id=seeded.source_ids[0],
        note_id=seeded.note_ids[0],
        post_id=seeded.post_ids[0],
        upload_id=upload.id,
        endpoint_id=endpoint.id,
        job_id=seeded.job_ids[0],
    )
