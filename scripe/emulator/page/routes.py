"""Answer requests to the page."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .._core.application import Application
from .._core.data_files import MissingFileError, read_data_file
from .._core.errors import STATUS_BY_CODE
from .._core.masking import mask_secrets
from .._core.messages import PAGE_PREFIX, PREFIX
from .._core.optional_dependencies import MissingExtraError, require_extra
from .access import check_request
from .controls import CONTROLS, DEFAULT_FAULT, FAILURES, Form, FormError, find_api_key
from .snapshot import requests_document, state_document, take_snapshot

with require_extra():
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

MAX_FORM_BYTES = 64 * 1024
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
    """The page as an ASGI application below `/_emulator`; the host is the one that the server was given."""

    def __init__(self, application: Application, bound_host: str) -> None:
        self._application = application
        self._bound_host = bound_host

    @cached_property
    def _templates(self) -> "Environment":
        with require_extra():
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
        peer, local = (str((scope.get(end) or [""])[0]) for end in ("client", "server"))
        is_post = request.method == "POST"
        refusal = check_request(peer, local, self._bound_host, request.headers, is_post=is_post)
        response = PlainTextResponse(f"{refusal}\n", 403) if refusal else await self._respond(request)
        response.headers.update(HEADERS)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path = str(request.scope["path"]).removeprefix(PAGE_PREFIX).rstrip("/")
        if request.method == "POST" and path[1:] in CONTROLS:
            fields = await read_form(request)
            return await run_in_threadpool(self._handle_post, path[1:], request, fields)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("The page takes only GET and HEAD here.\n", 405, {"Allow": "GET, HEAD"})
        return await run_in_threadpool(self._handle_get, path, request)

    def _handle_get(self, path: str, request: Request) -> Response:
        if path == "":
            control = CONTROLS.get(request.query_params.get("done", ""))
            return self._render_page(request, message=control.success_message if control else "")
        if path == "/live":
            return self._render("live.html", view=take_snapshot(self._application))
        if path == "/revoke":
            return self._render_confirmation(request)
        if path == "/state.json":
            return JSONResponse(state_document(self._application))
        if path == "/requests.json":
            return JSONResponse(requests_document(self._application))
        if path in STATIC:
            return _static(path)
        return PlainTextResponse("There is no such page.\n", 404)

    def _handle_post(self, name: str, request: Request, fields: Mapping[str, str]) -> Response:
        try:
            CONTROLS[name].run(Form(self._application, fields))
        except FormError as error:
            return self._render_page(request, 422, message=str(error), failed_form=name, fields=fields)
        return RedirectResponse(f"{PAGE_PREFIX}?done={name}", 303)

    def _render_page(
        self,
        request: Request,
        status: int = 200,
        *,
        message: str = "",
        failed_form: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        return self._render(
            "page.html",
            status,
            view=take_snapshot(self._application),
            base_url=f"http://{request.headers['host']}{PREFIX}",
            failures=[(code, STATUS_BY_CODE[code]) for code in FAILURES],
            default_fault=DEFAULT_FAULT,
            message=message,
            failed_form=failed_form,
            fields=fields or {},
        )

    def _render_confirmation(self, request: Request) -> Response:
        key_id = request.query_params.get("key", "")
        try:
            api_key = find_api_key(self._application, key_id)
        except FormError as error:
            return self._render_page(request, 404, message=str(error), failed_form="revoke")
        return self._render("revoke.html", key_id=key_id, masked=mask_secrets(api_key))

    def _render(self, template: str, status: int = 200, **values: object) -> Response:
        try:
            html = self._templates.get_template(template).render(values)
        except (MissingFileError, MissingExtraError) as error:
            message = f"{values.get('message') or ''}\nThe page cannot be shown: {error}\n".lstrip()
            return PlainTextResponse(message, 503 if status == 200 else status)
        return HTMLResponse(html, status)


def _static(path: str) -> Response:
    try:
        return Response(read_data_file(f"page/static{path}"), media_type=STATIC[path])
    except MissingFileError as error:
        return PlainTextResponse(f"{error}\n", 404)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; one that is too large is a 413, one that breaks off a 400."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_FORM_BYTES:
                raise HTTPException(413, "The form is too large.")
    except ClientDisconnect:
        raise HTTPException(400, "The form did not arrive whole.") from None
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
