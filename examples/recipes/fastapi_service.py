"""A service that takes a recording and answers with the job that makes a source of it.

    uvicorn examples.recipes.fastapi_service:app

One `AsyncScripe` for the whole service, opened and closed with it; what Scripe refuses becomes the service's answer.
A blocking twin shows the same with `Scripe`, for services whose other code blocks.
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
    """Make `app` when uvicorn asks for it: the key is wanted then, not when this file is imported."""
    if name == "app":
        return create_app(AsyncScripe(), Scripe())
    raise AttributeError(name)
