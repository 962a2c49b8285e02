"""A web service that takes a recording and responds with the job that makes a source of it.

    uvicorn examples.recipes.fastapi_service:app

The whole service shares one `AsyncScripe`, which opens and closes with it. Errors of Scripe become responses of the
service. A second endpoint shows the same with `Scripe`, for services with blocking code.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import JSONResponse

from scripe import APIStatusError, AsyncScripe, InvalidArgumentError, Scripe


def create_app(client: AsyncScripe, blocking: Scripe) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with client:
            with blocking:
                yield

    service = FastAPI(lifespan=lifespan)

    @service.exception_handler(APIStatusError)
    async def refused(_: Request, error: APIStatusError) -> JSONResponse:
        return JSONResponse({"code": error.code, "message": error.message}, error.status_code)

    @service.exception_handler(InvalidArgumentError)
    async def wrong(_: Request, error: InvalidArgumentError) -> JSONResponse:
        return JSONResponse({"code": "wrong_input", "message": error.message}, 400)

    @service.post("/projects/{project_id}/recordings")
    async def submit(project_id: str, recording: UploadFile) -> dict[str, str]:
        upload = await client.uploads.upload_file(recording)
        job = await client.sources.create_file(
            project_id=project_id, upload_id=upload.id, name=recording.filename
        )
        return {"job_id": job.id, "status": job.status}

    @service.post("/blocking/projects/{project_id}/recordings")
    def submit_blocking(project_id: str, recording: UploadFile) -> dict[str, str]:
        upload = blocking.uploads.upload_file(
            recording.file, name=recording.filename, content_type=recording.content_type
        )
        job = blocking.sources.create_file(
            project_id=project_id, upload_id=upload.id, name=recording.filename
        )
        return {"job_id": job.id, "status": job.status}

    @service.get("/jobs/{job_id}")
    async def look(job_id: str) -> dict[str, str | None]:
        job = await client.jobs.retrieve(job_id)
        return {"status": job.status, "source_id": job.result.source_id if job.result else None}

    return service


def __getattr__(name: str) -> FastAPI:
    """Make `app` when uvicorn asks for it: importing this file needs no API key."""
    if name == "app":
        return create_app(AsyncScripe(), Scripe())
    raise AttributeError(name)
