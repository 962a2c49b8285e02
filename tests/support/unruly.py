"""An emulator whose jobs end, fail, vanish and take on unknown statuses while they are looked at."""

from __future__ import annotations

import json
import random
from typing import cast

from scripe.emulator import Emulator, Request, Response

UNKNOWN = "REVIEWING"


class UnrulyEmulator(Emulator):
    """After each request of jobs some of them move on; the response is changed for a few of them.

    Args:
        count: how many jobs there are.
        vanished: how many of them the API does not know any more.
        odd: how many have, for a while, a status that no page of the API names.
        seed: draws which.

    """

    def __init__(self, count: int, *, vanished: int = 0, odd: int = 0, seed: int = 1) -> None:
        super().__init__(plan="ENTERPRISE", job_speed=0, read_limit=100_000)
        self._chance = random.Random(seed)
        made = self.seed(jobs=count, job_status="RUNNING", step=0.001).job_ids
        self.job_ids = self._chance.sample(made, count)
        self._waiting = self._chance.sample(self.job_ids, count)
        self.vanished = set(self.job_ids[:vanished])
        self._odd = set(self.job_ids[vanished : vanished + odd])
        self.ends: dict[str, str] = {}
        self.looks = 0
        self.add_observer(self._interfere)

    def _interfere(self, request: Request, response: Response) -> None:
        if request.method == "GET" and request.path.startswith("/jobs"):
            self.looks += 1
            if response.status == 200:
                self._distort(response)
            self._move()

    def _move(self) -> None:
        for _ in range(min(len(self._waiting), self._chance.randrange(40))):
            job = self._waiting.pop()
            if job in self._odd and self._chance.random() < 0.5:
                self._waiting.insert(0, job)
                continue
            self._odd.discard(job)
            if self._chance.random() < 0.3:
                self.fail(job)
                self.ends[job] = "FAILED"
            else:
                self.finish(job, self._chance.choice(["DONE", "COMPLETED"]))
                self.ends[job] = "DONE"

    def _distort(self, response: Response) -> None:
        answer = cast("dict[str, object]", json.loads(response.body))
        found = answer["data"]
        if isinstance(found, list):
            jobs = cast("list[dict[str, object]]", found)
            answer["data"] = [self._renamed(job) for job in jobs if job["id"] not in self.vanished]
        else:
            job = cast("dict[str, object]", found)
            if job["id"] in self.vanished:
                response.status = 404
                answer = {"error": {"code": "not_found", "message": "There is no such job."}}
            else:
                answer["data"] = self._renamed(job)
        response.body = json.dumps(answer).encode()

    def _renamed(self, job: dict[str, object]) -> dict[str, object]:
        return {**job, "status": UNKNOWN} if job["id"] in self._odd else job
