"""What an editor shows: pyright's language server, asked over its standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeAlias, cast

Message: TypeAlias = dict[str, object]


class LanguageServer:
    """One server for a folder; a `^` in the code that it is asked about is where the cursor stands."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._asked = 0
        self._documents = 0

    def __enter__(self) -> Self:
        program = str(Path(sys.executable).with_name("pyright-langserver"))
        self._process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        folder = {"uri": self._root.as_uri(), "name": self._root.name}
        plain = {"textDocument": {"hover": {"contentFormat": ["plaintext"]}}}
        opening: Message = {
            "processId": None,
            "rootUri": folder["uri"],
            "workspaceFolders": [folder],
            "capabilities": plain,
        }
        self._ask("initialize", opening)
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ask("shutdown", None)
        self._send({"method": "exit"})
        for stream in (self._process.stdin, self._process.stdout):
            cast("IO[bytes]", stream).close()
        self._process.wait(60)

    def completions(self, code: str) -> list[str]:
        """What is offered at the cursor, by its label."""
        found = self._ask("textDocument/completion", self._place(code))
        items = cast("list[dict[str, str]]", cast("Message", found)["items"]) if found else []
        return [each["label"] for each in items]

    def hover(self, code: str) -> str:
        """What is shown when the mouse rests where the cursor stands."""
        found = cast("dict[str, dict[str, str]] | None", self._ask("textDocument/hover", self._place(code)))
        return found["contents"]["value"] if found else ""

    def _place(self, code: str) -> Message:
        before, _, after = code.partition("^")
        self._documents += 1
        uri = (self._root / f"not_on_disk_{self._documents}.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": before + after}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        last = before.rpartition("\n")[2]
        return {
            "textDocument": {"uri": uri},
            "position": {"line": before.count("\n"), "character": len(last)},
        }

    def _ask(self, method: str, params: Message | None) -> object:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == self._asked:
                return message["result"]
            if "method" in message and "id" in message:  # it asks for what an editor may have set: nothing
                self._send({"id": message["id"], "result": None})

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        to_server = cast("IO[bytes]", self._process.stdin)
        to_server.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        to_server.flush()

    def _receive(self) -> Message:
        from_server = cast("IO[bytes]", self._process.stdout)
        length = 0
        while line := from_server.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise EOFError("The language server has ended.")
        return cast("Message", json.loads(from_server.read(length)))
