"""The state of a run between two cycles, and what the stages may see of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from autotroph.core.budget import Meter
from autotroph.core.decision import Report, Verdict
from autotroph.core.policy import Kind, Policy
from autotroph.core.protocols import Optimize, Sampler
from autotroph.core.task import Provenance, Task, stable_hash
from autotroph.core.trace import Group, Trace, digest
from autotroph.evaluate import evidence
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.programs import Program
from autotroph.models import checkpoint
from autotroph.models.engine import Engine, compute_dtype
from autotroph.models.recorded import Recorded, fingerprint
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import Transformer
from autotroph.store.journal import CANDIDATE
from autotroph.store.ledger import Event
from autotroph.store.record import CycleRecord
from autotroph.store.run import Run

ROWS = "rows.jsonl"
METERED = ("base", "gap", "pending", "cycle")
"""Kinds of events that say what was spent so far."""


@dataclass(frozen=True)
class State:
    """Where a run stands. Implements `core.protocols.View`: it holds no sealed task and no sealed result."""

    run: Run
    run_seed: int
    cycle: int
    level: int
    champion: Policy
    trainee: Policy
    meter: Meter
    knobs: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def begin(cls, run: Run, base: Path, taught: int, kind: Kind = "weights") -> State:
        """The state of a new run: the base becomes the first champion."""
        if kind == "weights":
            checkpoint.load(base)  # a damaged base is refused here, by name
        policy = _store(
            run,
            lambda work: [shutil.copyfile(path, work / path.name) for path in filter(Path.is_file, base.iterdir())],
            kind,
        )
        run.ledger.append("base", {"policy": asdict(policy), "taught": taught, "meter": Meter().snapshot()})
        return cls.restore(run)

    @classmethod
    def restore(cls, run: Run) -> State:
        """The state after the last committed cycle; whatever came after it has not happened."""
        metered = newest(run)
        if run.journal is not None:
            run.journal.begin(metered.seq)
        meter = Meter(**metered.data["meter"], budget=run.budget, journal=run.journal)
        return cls(run, run.start["config"]["seed"], meter=meter, **standing(run))

    @property
    def base(self) -> Policy:
        return self.run.base_policy()

    @property
    def waiting(self) -> int:
        return self.cycle - (0 if self.champion.parent is None else self.champion.cycle + 1)

    def seed(self, purpose: str) -> int:
        return self.seed_at(self.cycle, purpose)

    def seed_at(self, cycle: int, purpose: str) -> int:
        return int(stable_hash(str(self.run_seed), str(cycle), purpose)[:12], 16)

    def verdicts(self) -> list[Verdict]:
        """What the gate has said so far, one a cycle."""
        return [event.data["record"]["decision"]["verdict"] for event in self.run.ledger.events("cycle")]

    def practised(self, counter: str) -> float:
        """What the practice of all cycles has cost: of the meter, without what judging the candidates has."""
        cycles = self.run.ledger.events("cycle")
        return float(sum(event.data["record"]["metrics"].get(f"practice_{counter}", 0) for event in cycles))

    def load(self, policy: Policy, member: int = 0) -> tuple[Transformer, TextTokenizer]:
        model, tokenizer = checkpoint.load(self.run.policies.path(policy.uri), member)
        return model.to(self.run.start["config"].get("device", "cpu")), tokenizer

    def training(self, policy: Policy, member: int = 0) -> dict[str, Tensor] | None:
        return checkpoint.load_training(self.run.policies.path(policy.uri), member)

    def candidate(self, policy: Policy) -> Candidate:
        """The files of a policy that is none of weights."""
        return Candidate.stored(self.run.policies.path(policy.uri))

    def sampler(self, policy: Policy, member: int = 0) -> Sampler:
        if policy.kind != "weights":
            return cast(Sampler, Program(policy, self.candidate(policy), self.meter))
        model, tokenizer = self.load(policy, member)
        return self._recorded(model.to(compute_dtype()), tokenizer, policy, f"{policy.id} {member}")

    def engine(self, model: Transformer, tokenizer: TextTokenizer) -> Sampler:
        return self._recorded(model, tokenizer, self.trainee, fingerprint(model))

    def _recorded(self, model: Transformer, tokenizer: TextTokenizer, policy: Policy, identity: str) -> Sampler:
        engine = Engine(model, tokenizer, policy, Meter(), int(self.run.start["config"]["memory"] * 2**30))
        return Recorded(engine, self.meter, identity, engine.flops_per_token)

    def optimized(self, optimize: Optimize, groups: Sequence[Group]) -> tuple[Policy, dict[str, float]]:
        """The candidate, and figures of its training. One that an interrupted session has published is not made again.

        Training that was under way is: what it sampled and verified is replayed, its steps are taken anew.
        """
        whose = self.champion.id, self.trainee.id, json.dumps(dict(self.knobs), sort_keys=True)
        made_of = stable_hash(str(self.run_seed), str(self.cycle), *whose, digest(groups))
        name, parts = self.meter.replayed(f"{CANDIDATE} {made_of}")
        for answer in parts.values():
            made = json.loads(answer)
            return Policy(**made["policy"]), made["metrics"]
        before = self.meter.counters()
        candidate, metrics = optimize(groups, self)
        cost = {counter: after - before[counter] for counter, after in self.meter.counters().items()}
        self.meter.record(name, 0, json.dumps({"policy": asdict(candidate), "metrics": metrics}).encode(), cost)
        return candidate, metrics

    def unchanged(self) -> Policy:
        """The trainee as a candidate that nothing was trained on."""
        return replace(self.trainee, data=self.run.rows.put(lambda folder: _write_rows(folder / ROWS, [])).name)

    def publish(
        self,
        models: Sequence[Transformer],
        tokenizer: TextTokenizer,
        rows: Sequence[Group],
        depth: int,
        training: Sequence[Mapping[str, Tensor]] = (),
    ) -> Policy:
        """Store weights as a new policy, child of the trainee, made from `rows`."""
        data = self.run.rows.put(lambda folder: _write_rows(folder / ROWS, rows)).name
        policy = _store(self.run, lambda work: checkpoint.save(models, tokenizer, work, training))
        return replace(policy, parent=self.trainee.id, data=data, cycle=self.cycle, depth=depth)

    def publish_files(self, candidate: Candidate, kept: Mapping[str, bytes]) -> Policy:
        """Store files as a new policy, child of the trainee and of its kind. `kept`: what else to keep of the cycle, by
        plain names, for `kept` to find."""

        def write(folder: Path) -> None:
            _write_rows(folder / ROWS, [])
            for name, data in kept.items():
                (folder / name).write_bytes(data)

        data = self.run.rows.put(write).name
        policy = _store(self.run, candidate.write, self.trainee.kind)
        return replace(policy, parent=self.trainee.id, data=data, cycle=self.cycle)

    def kept(self, name: str) -> Iterator[bytes]:
        """What `publish_files` has kept under a name in each earlier cycle, oldest first."""
        for event in self.run.ledger.events("cycle"):
            path = self.run.rows.path(event.data["rows"]) / name
            if path.is_file():
                yield path.read_bytes()

    def history(self) -> Iterator[list[Group]]:
        for event in self.run.ledger.events("cycle"):
            record = CycleRecord.model_validate(event.data["record"])
            if record.decision.promoted:
                yield _read_rows(self.run.rows.path(event.data["rows"]) / ROWS)

    def keep(self, champion: Report, candidate: Report) -> str:
        """Store the per-task results on which a decision rests; returns their name."""
        return self.run.evidence.put(lambda work: evidence.write(work, champion, candidate)).name

    def commit(
        self, candidate: Policy, record: CycleRecord, knobs: Mapping[str, float], ruling: Mapping[str, Any]
    ) -> State:
        """Write the cycle as one ledger entry and return the next state.

        Promotion changes the champion, and raises the level to what the round found mastered. A candidate that is held
        goes on training, to be compared with the same champion again; after a roll back the champion does.
        `knobs`: those that monitors have turned so far. `ruling`: what the gate was and what it was shown, beside the
        record, so that anyone can ask it again.
        """
        champion = candidate if record.decision.promoted else self.champion
        trainee = self.champion if record.decision.verdict == "roll back" else candidate
        level = record.mastered if record.decision.promoted else self.level
        after = {
            "cycle": self.cycle + 1,
            "level": level,
            "champion": asdict(champion),
            "trainee": asdict(trainee),
            "knobs": dict(knobs),
        }
        self.log(
            "cycle",
            {
                "record": record.model_dump(mode="json"),
                "ruling": dict(ruling),
                "rows": candidate.data,
                "state": after,
            },
        )
        return replace(self, cycle=self.cycle + 1, level=level, champion=champion, trainee=trainee, knobs=knobs)

    def log(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write an event, with what was spent up to it; the paid work that led to it need not be kept any longer."""
        event = self.run.ledger.append(kind, {**data, "meter": self.meter.snapshot()})
        if self.run.journal is not None:
            self.run.journal.begin(event.seq)


def newest(run: Run) -> Event:
    """The last event that says what was spent so far; it has what came before it."""
    return max(filter(None, map(run.ledger.last, METERED)), key=lambda event: event.seq)


def standing(run: Run) -> dict[str, Any]:
    """The fields of a state that follow from the last committed cycle; the base must be stored."""
    base, last = run.ledger.last("base"), run.ledger.last("cycle")
    assert base is not None, "a run stands nowhere before its base is stored"
    first = base.data["policy"]
    data = {"cycle": 0, "level": base.data["taught"], "champion": first, "trainee": first}
    if last is not None:
        data = last.data["state"]
    policies = {name: Policy(**data[name]) for name in ("champion", "trainee")}
    return {"cycle": data["cycle"], "level": data["level"], **policies, "knobs": data.get("knobs", {})}


def _store(run: Run, build: Callable[[Path], object], kind: Kind = "weights") -> Policy:
    folder = run.policies.put(build)
    members = checkpoint.members(folder) if kind == "weights" else 1
    return Policy(folder.name, kind, uri=folder.name, members=members)


def _write_rows(path: Path, groups: Sequence[Group]) -> None:
    """Kept self-made rows of a cycle, one trace a line, with the task that each answers."""
    with path.open("w") as file:
        for group in groups:
            for trace in group.kept:
                row = {"task": _task_row(group.task), "trace": asdict(trace)}
                file.write(json.dumps(row, sort_keys=True) + "\n")


def _task_row(task: Task) -> dict[str, Any]:
    row = {name: getattr(task, name) for name in ("key", "family", "prompt", "answer", "level", "split")}
    return row | {"provenance": asdict(task.provenance), "meta": dict(task.meta)}


def _read_rows(path: Path) -> list[Group]:
    groups = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        origin = row["task"].pop("provenance")
        task = Task(**row["task"], provenance=Provenance(**{**origin, "parents": tuple(origin["parents"])}))
        trace = row["trace"]
        for name in ("ids", "sampled", "logprobs"):
            trace[name] = tuple(trace[name])
        groups.append(Group(task, (Trace(**trace),)))
    return groups
