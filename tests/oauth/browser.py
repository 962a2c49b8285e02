"""A browser in front of an emulator's consent page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx

from scripe.emulator import Emulator


class Browser:
    """Opens an authorization URL as a person would: allows access, and goes where the browser is sent.

    `act` may be replaced by what else a person does with the address. `wait` returns when it is done.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.opened: list[str] = []
        self.pages: list[httpx.Response] = []
        self.act: Callable[[str], object] = self.allow
        self._is_done = threading.Event()

    def open(self, url: str) -> bool:
        self.opened.append(url)
        try:
            self.act(url)
        finally:
            self._is_done.set()
        return True

    def allow(self, url: str, **consent: Any) -> None:
        self.go(self.emulator.oauth.consent(url, **consent))

    def deny(self, url: str) -> None:
        self.allow(url, allow=False)

    def go(self, url: str) -> None:
        """Follow a callback to its last page."""
        with httpx.Client(follow_redirects=True) as browser:
            self.pages.append(browser.get(url))

    def wait(self) -> None:
        assert self._is_done.wait(20)
