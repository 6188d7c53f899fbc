"""Runs that are killed at random moments while a language model edits their programs, beside one that nobody kills.

    python bench/evolve_kills.py [--kills 20]

The model is a real local HTTP endpoint, whose replies follow from the request alone; it counts what it is asked. A run
that was killed has to make the same decisions and candidates, and to ask for no reply again that it has recorded: only
what was under way when it died may be asked for twice. Results: bench/results/evolve_kills.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from autotroph.store.run import Run, machine
from autotroph.verify import verify

RESULTS = Path(__file__).parent / "results" / "evolve_kills.json"
TESTS = Path(__file__).parents[1] / "tests" / "unit" / "evolve" / "aim.py"
SETTINGS = [
    "--problem", f"{TESTS}:Aim", "--cycles", "4", "--evaluations", "40", "--no-baselines", "--ahead", "4",
    "--policy", "random", "--llm-name", "local", "--llm-forms", "diff", "--llm-share", "1",
]  # fmt: skip


class Model:
    """An endpoint that moves the number of the program that it is shown; `asked` counts requests by their content."""

    def __init__(self, delay: float = 0.02):
        asked, lock = Counter[str](), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    asked[hashlib.sha256(body).hexdigest()] += 1
                time.sleep(delay)
                reply = json.dumps(answer(json.loads(body))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client: object) -> None:
                pass  # whoever asked is dead

        self.asked = asked
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """A block that adds something to the number, or takes it away; now and then prose."""
    prompt = body["messages"][-1]["content"]
    rng = random.Random(f"{body.get('seed')} {prompt}")
    found = re.search(r"^X = (-?\d+)$", prompt, re.M)
    said = "I would leave it as it is."
    if found and rng.random() < 0.9:
        new = int(found[1]) + rng.randint(-30, 30)
        said = f"FILE: numbers_of_mine.py\n<<<<<<< SEARCH\n{found[0]}\n=======\nX = {new}\n>>>>>>> REPLACE\n"
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(said) // 4}
    return {"choices": [{"message": {"content": said}, "finish_reason": "stop"}], "usage": usage}


def started(folder: Path, url: str) -> subprocess.Popen[bytes]:
    goes_on = ["resume", str(folder)]
    begins = ["run", "alphaevolve", *SETTINGS, "--llm-url", url, "--out", str(folder)]
    command = goes_on if (folder / "ledger.sqlite").is_file() else begins
    return subprocess.Popen(
        [sys.executable, "-m", "autotroph", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def whole(folder: Path, url: str) -> float:
    begun = time.monotonic()
    if started(folder, url).wait():
        raise SystemExit(f"the run in {folder} did not end well")
    return time.monotonic() - begun


def killed(folder: Path, url: str, kills: int, seconds: float, rng: random.Random) -> int:
    """Kill a run so many times, at moments drawn uniformly from half its length, and let it come to its end."""
    done = 0
    while done < kills:
        process = started(folder, url)
        try:
            process.wait(rng.uniform(0.3, seconds / 2))
            if (folder / "report.html").is_file():
                return done
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
    whole(folder, url)
    return done


def happened(folder: Path) -> list[Any]:
    with Run(folder, write=False) as run:
        record = run.record()
        made = [[c.candidate, c.decision.verdict, c.metrics["nodes"], c.metrics["refused"]] for c in record.cycles]
        spent = {name: record.spent[name] for name in ("tokens", "verifier_calls")}
        return [*made, record.champion, spent]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills, rng = parser.parse_args().kills, random.Random(0)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as work:
        alone = Model()
        seconds = whole(Path(work) / "alone", alone.url)
        while sum(one["kills"] for one in found) < kills:
            model, folder = Model(), Path(work) / f"killed-{len(found)}"
            done = killed(folder, model.url, kills, seconds, rng)
            requests, distinct = sum(model.asked.values()), len(model.asked)
            one = {
                "kills": done,
                "equal": happened(folder) == happened(Path(work) / "alone"),
                "faults": len(verify(folder).faults),
                "asked": requests,
                "distinct": distinct,
                "asked_alone": sum(alone.asked.values()),
                "asked_again": requests - distinct,
            }
            found.append(one)
            print(one, flush=True)
    RESULTS.write_text(json.dumps({"runs": found, "seconds": seconds, "machine": machine()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
