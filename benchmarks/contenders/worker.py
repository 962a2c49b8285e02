"""Runs one case of one contender in its own environment: a batch for each line it is sent, and what that took.

`python worker.py with_openai get http://127.0.0.1:8000` says `ready`; then each line is a count, and each answer the
wall and CPU seconds of so many calls, and the peak memory of the process so far.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time


def main() -> None:
    module, case, *arguments = sys.argv[1:]
    batch = importlib.import_module(module).CASES[case](*arguments)
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        found = batch(int(line))
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        took["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**took, **(found or {})}), flush=True)


main()
