"""From a request to the page to its answer."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from scripe.emulator.data_files import MissingFileError, read_data_file
from scripe.emulator.errors import STATUS_BY_CODE
from scripe.emulator.extras import MissingExtraError, extra
from scripe.emulator.messages import PAGE_PREFIX, PREFIX
from scripe.emulator.page.controls import CONTROLS, FAILURES, USUAL_FAILURE, Form, FormError, token_of
from scripe.emulator.page.guard import Visit
from scripe.emulator.page.inside import Inside
from scripe.emulator.page.page import look, numbers
from scripe.emulator.page.words import masked

with extra():
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import (
        HTMLResponse,
        JSONResponse,
        PlainTextResponse,
        RedirectResponse,
        Response,
    )
    from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from jinja2 import Environment

    from scripe.emulator.app import Emulator

LARGEST_FORM = 64 * 1024
STATIC = {"/page.css": "text/css", "/page.js": "text/javascript", "/icon.svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Page:
    """The page as an ASGI application below ``/_emulator``.

    Args:
        emulator: what it shows, and what its buttons control.
        inside: the inner parts of that.
        bound: the address that the server listens on.

    """

    def __init__(self, emulator: "Emulator", inside: Inside, bound: str) -> None:
        self._emulator = emulator
        self._inside = inside
        self._bound = bound

    @cached_property
    def _templates(self) -> "Environment":
        with extra():
            from jinja2 import Environment, FunctionLoader, StrictUndefined
        return Environment(
            loader=FunctionLoader(lambda name: read_data_file(f"page/templates/{name}").decode()),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = self._refused(request) or await self._answer(request)
        response.headers.update(HEADERS)
        await response(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        peer, local = (str((request.scope.get(end) or [""])[0]) for end in ("client", "server"))
        visit = Visit(peer, local, self._bound, request.headers)
        objection = visit.objection(presses=request.method == "POST")
        return PlainTextResponse(f"{objection}\n", 403) if objection else None

    async def _answer(self, request: Request) -> Response:
        path = str(request.scope["path"]).removeprefix(PAGE_PREFIX).rstrip("/")
        if request.method == "POST" and path[1:] in CONTROLS:
            return await self._pressed(path[1:], request)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("The page takes no such request.\n", 405, {"Allow": "GET, HEAD"})
        return await run_in_threadpool(self._shown, path, request)

    def _shown(self, path: str, request: Request) -> Response:
        if path == "":
            done = CONTROLS.get(request.query_params.get("done", ""))
            return self._page(request, message=done.done if done else "")
        if path == "/live":
            return self._rendered("live.html", view=look(self._emulator, self._inside))
        if path == "/revoke":
            return self._confirmation(request)
        if path == "/state.json":
            return JSONResponse(numbers(self._emulator, self._inside))
        if path in STATIC:
            return _static(path)
        return PlainTextResponse("There is no such page.\n", 404)

    async def _pressed(self, name: str, request: Request) -> Response:
        return await run_in_threadpool(self._done, name, request, await fields_of(request))

    def _done(self, name: str, request: Request, fields: Mapping[str, str]) -> Response:
        try:
            CONTROLS[name].press(Form(self._emulator, self._inside, fields))
        except FormError as error:
            return self._page(request, 422, message=str(error), wrong=name, given=fields)
        return RedirectResponse(f"{PAGE_PREFIX}?done={name}", 303)

    def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        message: str = "",
        wrong: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Response:
        return self._rendered(
            "page.html",
            status,
            view=look(self._emulator, self._inside),
            base_url=f"http://{request.headers['host']}{PREFIX}",
            failures=[(code, STATUS_BY_CODE[code]) for code in FAILURES],
            usual_failure=USUAL_FAILURE,
            message=message,
            wrong=wrong,
            given=given or {},
        )

    def _confirmation(self, request: Request) -> Response:
        key_id = request.query_params.get("key", "")
        try:
            token = token_of(self._inside, key_id)
        except FormError as error:
            return self._page(request, 404, message=str(error), wrong="revoke")
        return self._rendered("revoke.html", key_id=key_id, masked=masked(token))

    def _rendered(self, template: str, status: int = 200, **values: object) -> Response:
        try:
            html = self._templates.get_template(template).render(values)
        except (MissingFileError, MissingExtraError) as error:
            message = f"{values.get('message') or ''}\nThe page itself cannot be shown: {error}\n".lstrip()
            return PlainTextResponse(message, 503 if status == 200 else status)
        return HTMLResponse(html, status)


def _static(path: str) -> Response:
    try:
        return Response(read_data_file(f"page/static{path}"), media_type=STATIC[path])
    except MissingFileError as error:
        return PlainTextResponse(f"{error}\n", 404)


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent.

    Raises:
        HTTPException: 413, it is too large; 400, the caller went away before its end.

    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_FORM:
                raise HTTPException(413, "The form is too large.")
    except ClientDisconnect:
        raise HTTPException(400, "The form did not arrive whole.") from None
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
