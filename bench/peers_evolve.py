"""Our search beside OpenEvolve and GEPA: the same edits, the same judge, as many evaluations; docs/evolution.md.

    make peers                                                      installs them beside us, runs all of it
    python bench/peers_evolve.py run [--problems P,..] [--arms A,..] [--seeds 0-4]     what is not there yet
    python bench/peers_evolve.py page                               the tables of docs/evolution.md
    python bench/peers_evolve.py one PROBLEM ARM SEED               one run, as JSON

No side has a language model. OpenEvolve is given a local endpoint of OpenAI's protocol, which answers with an edit of
the program in the prompt, in SEARCH/REPLACE form; GEPA is given a proposer that makes such an edit.
Both are the typed edits of `autotroph.evolve.mutate.syntax`, which also edit for us.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autotroph.core.budget import Meter
from autotroph.core.task import stable_hash
from autotroph.evaluate.intervals import paired_interval
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.registry import mutator
from autotroph.evolve.policies.registry import policy
from autotroph.evolve.programs import Trying
from autotroph.evolve.protocols import Parent, Surroundings
from autotroph.evolve.search import Population, Search, Settings, Tried
from autotroph.recipes.alphaevolve import Config
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import Limits, Outcome
from autotroph.store.run import machine
from autotroph.tasks.programs.family import MAIN, ProgramFamily
from autotroph.tasks.registry import task_family

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "bench" / "results" / "peers_evolve.json", ROOT / "docs" / "evolution.md"
BEGIN, END = "<!-- bench/peers_evolve.py writes what follows -->\n", "<!-- and ends here -->\n"
LIMITS = Limits(wall=120.0, cpu=0.5)
"""A program is killed after a second of processor time. The deadline by the clock is far: load decides nothing."""
WIDER = Limits(wall=120.0, cpu=5.0)
"""For the pick, when it is measured again: one that came near the limit is not lost to a slow second."""
TRIES = 20
"""Edits that are tried before a proposer gives up."""


@dataclass(frozen=True)
class Ground:
    """`tasks`: that a program is tried on; `sealed`: fresh ones that the pick is measured on. `change`: of the recipe's
    seed program, old text to new."""

    problem: str
    evaluations: int
    tasks: int
    sealed: int
    unit: str
    change: tuple[str, str] = ("", "")

    def family(self) -> ProgramFamily:
        family = task_family(self.problem)
        assert isinstance(family, ProgramFamily)
        family.limits = LIMITS
        return family

    def seed_program(self, family: ProgramFamily) -> str:
        text = Config(problem=self.problem).seed_program(family).text(MAIN)
        old, new = self.change
        assert old in text
        return text.replace(old, new, 1) if old else text


GROUNDS = {
    "circle_packing": Ground("circle_packing", 200, 1, 1, "sum of radii", ("ROUNDS = 12", "ROUNDS = 2")),
    "function_minimisation": Ground("function_minimisation", 480, 6, 24, "mean score on fresh functions"),
}


class Counted(Jail):
    """A jail that adds up the processor seconds of what it runs."""

    cpu = 0.0

    def order(self, order: Mapping[str, Any], stdin: str, limits: Limits) -> Outcome:
        outcome = super().order(order, stdin, limits)
        self.cpu += outcome.usage.cpu
        return outcome


class Judge:
    """The evaluator of all arms, which counts."""

    def __init__(self, ground: Ground, jail: Jail, seed: int):
        family = self.family = ground.family()
        self.level = family.levels[0]
        self._trying = Trying(family, family.generate(self.level, ground.tasks, seed), jail, Meter())
        self.tasks, self.evaluations, self._lock = ground.tasks, 0, threading.Lock()

    def evaluate(self, candidate: Candidate, task: int) -> Tried:
        with self._lock:
            self.evaluations += 1
        return self._trying.evaluate(candidate, task)

    def score(self, text: str, task: int) -> float:
        """0 for a program that gives nothing."""
        return self.evaluate(program(text), task).outcome or 0.0


class Proposer:
    """Edits of a program, drawn from the run's seed and the number of the request."""

    def __init__(self, seed: int):
        self.seed, self.asked, self._mutator, self._lock = seed, 0, mutator("syntax"), threading.Lock()

    def __call__(self, text: str) -> str:
        """The program as it is where none of the tries makes an edit."""
        with self._lock:
            self.asked += 1
            rng = random.Random(stable_hash(str(self.seed), str(self.asked), "edit"))
        for _ in range(TRIES):
            try:
                return self._mutator.edit([Parent(program(text))], Surroundings(rng, Meter())).candidate.text(MAIN)
            except NoEdit:
                continue
        return text


def program(text: str) -> Candidate:
    return Candidate.of({MAIN: text})


def ours(name: str) -> Callable[..., str]:
    """A policy of ours with the settings of `autotroph run alphaevolve`, but for its second mutator, crossover."""

    def search(ground: Ground, judge: Judge, start: str, seed: int) -> str:
        population, root = Population(Archive(judge.tasks)), program(start)
        population.add(root, Node(root.id))
        settings = Settings(ground.evaluations, z=0.0 if judge.family.exact else 1.0)
        picked = Search(population, policy(name), mutator("syntax"), judge, settings, seed).run()
        return population.candidate(picked).text(MAIN)

    return search


def gepa(cached: bool) -> Callable[..., str]:
    """`gepa.optimize_anything`: one task alone is its single-task search, several are its multi-task search."""

    def search(ground: Ground, judge: Judge, start: str, seed: int) -> str:
        from gepa.optimize_anything import EngineConfig, GEPAConfig, ReflectionConfig, TrackingConfig, optimize_anything

        propose = Proposer(seed)

        class Silent:
            def log(self, message: str) -> None:
                pass

        def proposed(candidate: dict[str, str], shown: object, names: list[str]) -> dict[str, str]:
            return {name: propose(candidate[name]) for name in names}

        def alone(candidate: str) -> float:
            return judge.score(candidate, 0)

        def one_of(candidate: str, example: int) -> float:
            return judge.score(candidate, example)

        config = GEPAConfig(
            engine=EngineConfig(seed=seed, cache_evaluation=cached),
            reflection=ReflectionConfig(reflection_lm=None, custom_candidate_proposer=proposed),
            tracking=TrackingConfig(logger=Silent()),
            stop_callbacks=lambda state: judge.evaluations >= ground.evaluations,
        )
        single = judge.tasks == 1
        found = optimize_anything(
            start,
            evaluator=alone if single else one_of,
            dataset=None if single else list(range(judge.tasks)),
            config=config,
        )
        return str(found.best_candidate)

    return search


def openevolve(ground: Ground, judge: Judge, start: str, seed: int) -> str:
    """OpenEvolve in a process of its own, which asks a local endpoint for edits and for scores."""
    with served(judge, Proposer(seed)) as url, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "program.py").write_text(start)
        (place / "evaluator.py").write_text(EVALUATOR.format(url=url))
        iterations = ground.evaluations // ground.tasks - 1
        command = [sys.executable, __file__, "openevolve", url, str(place), str(iterations), str(seed)]
        near = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        subprocess.run(command, check=True, env=near, stdout=subprocess.DEVNULL)
        return (place / "best.py").read_text()


EVALUATOR = """import json
import urllib.request


def evaluate(path):
    with open(path) as file:
        body = json.dumps({{"program": file.read()}}).encode()
    with urllib.request.urlopen("{url}/score", body) as reply:
        return {{"combined_score": json.load(reply)["score"]}}
"""


def in_openevolve(url: str, place: Path, iterations: int, seed: int) -> None:
    """Its defaults but for the endpoint, the seed and far deadlines."""
    from openevolve import run_evolution
    from openevolve.config import Config, EvaluatorConfig, LLMConfig, LLMModelConfig

    model = LLMModelConfig(name="edits", api_base=f"{url}/v1", api_key="none")
    config = Config(
        random_seed=seed,
        log_level="ERROR",
        llm=LLMConfig(models=[model], timeout=3600),
        evaluator=EvaluatorConfig(timeout=3600),
    )
    found = run_evolution(
        place / "program.py", place / "evaluator.py", config, iterations, str(place / "out"), cleanup=False
    )
    (place / "best.py").write_text(found.best_code)


@contextmanager
def served(judge: Judge, propose: Proposer):
    """An address that answers prompts with edits, and programs with their mean scores."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/score":
                said = {"score": sum(judge.score(body["program"], task) for task in range(judge.tasks)) / judge.tasks}
            else:
                said = completion(body["messages"][-1]["content"], propose)
            reply = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def completion(prompt: str, propose: Proposer) -> dict[str, Any]:
    """A chat completion with one block that replaces the whole current program."""
    begin, end = "# Current Program\n```python\n", "\n```\n\n# Task\n"
    shown = prompt.rpartition(begin)[2].partition(end)[0]
    assert shown not in ("", prompt), "a prompt without a current program"
    said = f"<<<<<<< SEARCH\n{shown.rstrip()}\n=======\n{propose(shown).rstrip()}\n>>>>>>> REPLACE"
    message = {"role": "assistant", "content": said}
    return {
        "id": f"edit-{propose.asked}", "object": "chat.completion", "created": 0, "model": "edits",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }  # fmt: skip


ARMS: Mapping[str, Callable[..., str]] = {
    "islands": ours("islands"),
    "openevolve": openevolve,
    "gepa": gepa(False),
    "gepa cached": gepa(True),
    "hill_climb": ours("hill_climb"),
    "random": ours("random"),
    "best_of_n": ours("best_of_n"),
}
NAMES = {
    "islands": "autotroph, `islands` (its default)",
    "openevolve": "OpenEvolve",
    "gepa": "GEPA",
    "gepa cached": "GEPA, its cache on",
    "hill_climb": "autotroph, `hill_climb`",
    "random": "random parents",
    "best_of_n": "children of the seed program",
}


def one(problem: str, arm: str, seed: int) -> dict[str, Any]:
    """One run: what its pick is worth, measured again by the judge, and what it has cost."""
    ground = GROUNDS[problem]
    with Counted(workers=2) as jail:
        judge = Judge(ground, jail, seed)
        start = ground.seed_program(judge.family)
        picked = ARMS[arm](ground, judge, start, seed)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        programs, search = jail.cpu, sum(each.ru_utime + each.ru_stime for each in used)
        return {
            "problem": problem, "arm": arm, "seed": seed, "evaluations": judge.evaluations,
            "start": worth(ground, judge, jail, start, seed), "worth": worth(ground, judge, jail, picked, seed),
            "cpu": {"programs": round(programs, 1), "search": round(search, 1)}, "characters": len(picked),
        }  # fmt: skip


def worth(ground: Ground, judge: Judge, jail: Jail, text: str, seed: int) -> float:
    """On sealed tasks: the value where the problem is one instance, the mean score where it is drawn. 0 for an answer
    that is refused."""
    family, found = ground.family(), []
    family.limits = WIDER
    for task in family.generate(judge.level, ground.sealed, seed, "sealed"):
        answer, _ = family.ask(jail, program(text).directory, task)
        found.append((family.value if family.exact else family.verify)(task, answer) or 0.0)
    return sum(found) / len(found)


def run(problems: Sequence[str], arms: Sequence[str], seeds: Sequence[int], out: Path) -> None:
    """Each run that is not in the results yet, in a process of its own."""
    found = json.loads(out.read_text())["runs"] if out.exists() else []
    done = {(each["problem"], each["arm"], each["seed"]) for each in found}
    for seed in seeds:
        for problem in problems:
            for arm in arms:
                if (problem, arm, seed) in done:
                    continue
                command = [sys.executable, __file__, "one", problem, arm, str(seed)]
                said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                found.append(json.loads(said.splitlines()[-1]))
                print(found[-1], flush=True)
                peers = {name: version(name) for name in ("openevolve", "gepa")}
                out.write_text(json.dumps({"peers": peers, "machine": machine(), "runs": found}, indent=1) + "\n")


def table(problem: str, runs: Sequence[Mapping[str, Any]]) -> str:
    """Means over seeds with 95% Student intervals, and what each differs by from ours on the same seeds."""
    worths = {arm: {r["seed"]: r for r in runs if (r["problem"], r["arm"]) == (problem, arm)} for arm in ARMS}
    seeds = sorted(set.intersection(*(set(of) for of in worths.values())))
    if len(seeds) < 2:
        there = sum(map(len, worths.values()))
        return f"\n### {problem}\n\n{there} runs are there, too few for an interval: every search needs two seeds.\n"
    ground, starts = GROUNDS[problem], [worths["islands"][seed]["start"] for seed in seeds]
    lines = [
        f"\n### {problem}\n",
        f"{ground.evaluations} evaluations of one program on one task, {ground.tasks} task{'s' * (ground.tasks > 1)} "
        f"of level 1, {len(seeds)} seeds. The seed program: {mean(starts):.4f}.\n",
        f"| search | {ground.unit} | against `islands` | best seed | evaluations | CPU s, programs | CPU s, the rest |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    order = sorted(ARMS, key=lambda arm: -sum(worths[arm][seed]["worth"] for seed in seeds))
    for arm in order:
        of = [worths[arm][seed] for seed in seeds]
        values = [each["worth"] for each in of]
        low, high = paired_interval(values)
        differs = [value - worths["islands"][seed]["worth"] for value, seed in zip(values, seeds, strict=True)]
        against = "–"
        if arm != "islands":
            less, more = paired_interval(differs)
            against = f"{mean(differs):+.4f} ({less:.4f} to {more:.4f})"
        cpu = [f"{mean([each['cpu'][part] for each in of]):.0f}" for part in ("programs", "search")]
        evaluations = f"{mean([each['evaluations'] for each in of]):.0f}"
        cells = [NAMES[arm], f"{mean(values):.4f} ({low:.4f} to {high:.4f})", against, f"{max(values):.4f}"]
        lines.append(f"| {' | '.join([*cells, evaluations, *cpu])} |")
    return "\n".join(lines) + "\n"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def page() -> None:
    found = json.loads(RESULTS.read_text())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    tables = "".join(table(problem, found["runs"]) for problem in GROUNDS)
    PAGE.write_text(before + BEGIN + tables + "\n" + END + rest.partition(END)[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    every = commands.add_parser("run")
    every.add_argument("--problems", default=",".join(GROUNDS))
    every.add_argument("--arms", default=",".join(ARMS))
    every.add_argument("--seeds", default="0-4", help="first-last")
    every.add_argument("--out", type=Path, default=RESULTS)
    single = commands.add_parser("one")
    single.add_argument("problem", choices=GROUNDS)
    single.add_argument("arm", choices=ARMS)
    single.add_argument("seed", type=int)
    peer = commands.add_parser("openevolve")
    for name, kind in (("url", str), ("place", Path), ("iterations", int), ("seed", int)):
        peer.add_argument(name, type=kind)
    commands.add_parser("page")
    given = parser.parse_args()
    if given.command == "run":
        first, _, last = given.seeds.partition("-")
        seeds = range(int(first), int(last or first) + 1)
        run(given.problems.split(","), given.arms.split(","), seeds, given.out)
    elif given.command == "one":
        print(json.dumps(one(given.problem, given.arm, given.seed)))
    elif given.command == "openevolve":
        in_openevolve(given.url, given.place, given.iterations, given.seed)
    else:
        page()


if __name__ == "__main__":
    main()
