"""The services of the loop. Values pass between them; none of them knows which implementation stands behind another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.core.config import Config
from autotroph.core.decision import Decision, Report
from autotroph.core.policy import Policy
from autotroph.core.task import Split, Task
from autotroph.core.trace import Completion, Group, Trace


class SamplingParams(Config):
    """How to draw from the next-token distribution; temperature 0 is greedy."""

    temperature: float = Field(default=1.0, ge=0)
    top_k: int = Field(default=0, ge=0, description="keep the k likeliest tokens; 0: all")
    top_p: float = Field(default=1.0, gt=0, le=1, description="keep the smallest set of tokens with this much mass")
    min_p: float = Field(
        default=0.0, ge=0, le=1, description="drop tokens less likely than this share of the likeliest"
    )
    stop: tuple[int, ...] = Field(default=(), description="token ids that end a row, besides the end of the text")
    min_tokens: int = Field(default=0, ge=0, description="tokens before which a row cannot end by itself")
    max_tokens: int = Field(default=64, ge=1)


class Tokenizer(Protocol):
    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Every token that ends an answer; `eos_id` is the first of them."""
        ...

    @property
    def bos_id(self) -> int: ...
    @property
    def eos_id(self) -> int: ...
    @property
    def pad_id(self) -> int: ...
    def __len__(self) -> int: ...
    def encode(self, text: str) -> list[int]: ...
    def prompt(self, text: str) -> list[int]:
        """Tokens of a prompt, to which an answer is to follow; never none, so that its first token has one before."""
        ...

    def turn(self, text: str, last: int) -> list[int]:
        """What comes between an answer whose `last` token is given and the next one where it is answered by `text`."""
        ...

    def decode(self, ids: Sequence[int]) -> str: ...


class Sampler(Protocol):
    """Draws completions from one policy."""

    @property
    def policy(self) -> Policy: ...
    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def meter(self) -> Meter: ...

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        """One completion for each prompt (token ids), in order. Row i depends on its prompt, params and seed alone."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """What an environment answers to an action: the next observation, or the end with its score."""

    observation: str
    done: bool
    score: float | None = None


class Environment(Protocol):
    """One episode of a multi-turn task. `step` is pure in its history: the same actions give the same turns."""

    def step(self, action: str) -> Turn: ...


Verify = Callable[[Task, str], float | None]
VerifyAll = Callable[[Sequence[tuple[Task, str]]], list[float | None]]
Judge = Callable[[Task, Trace, Trace], int]
"""The place, 0 or 1, of the better of two answers to a task. Which one stands first should not matter to it."""


class TaskFamily(Protocol):
    """A kind of task with a checkable outcome."""

    name: str
    levels: range
    """Every level that can be generated; a level is a difficulty, ascending."""
    alphabet: str
    """Every character of its prompts and answers."""
    static: bool
    """Whether its tasks are a fixed list: then there are no fresh ones, and every look at the sealed ones counts."""

    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        """At most n different tasks of a level and split; fewer where it has no more. Same seed, same tasks."""
        ...

    def verify(self, task: Task, answer: str) -> float | None:
        """Score in [0, 1] of an answer; None where it could not be scored. Never raises on any string."""
        ...

    def verify_all(self, pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        """What `verify` says of each pair; at once, where that is faster."""
        ...

    def validate(self) -> None:
        """Proves the family on itself; raises AutotrophError naming the first violation."""
        ...

    def max_answer(self, level: int) -> int:
        """Upper bound of the answer's length at a level, in characters."""
        ...


class ExecutedFamily(TaskFamily, Protocol):
    """A family whose answers are programs, which may be tried on what their task shows before they are given."""

    def visible(self, task: Task) -> Task:
        """The task judged on what it shows, by which an answer may be chosen."""
        ...

    def behaviours(self, pairs: Sequence[tuple[Task, str]]) -> list[str | None]:
        """Equal texts where answers to a task do the same on inputs that nobody has a value for; None for what does
        not run."""
        ...

    def retry(self, task: Task, answer: str) -> Task:
        """What to ask after an answer that fails what its task shows."""
        ...


class RephrasedFamily(TaskFamily, Protocol):
    """A family that can put its problems otherwise."""

    def rephrase(self, task: Task) -> Task | None:
        """A task of the same split with the same answers, whose parent is this one; None where there is none."""
        ...


class EpisodeFamily(TaskFamily, Protocol):
    """A family whose tasks are played turn by turn."""

    max_action: int
    """Longest action, in characters."""

    def start(self, task: Task) -> Environment: ...

    def expert(self, task: Task) -> list[str]:
        """A sequence of actions that solves the task."""
        ...

    def max_turns(self, level: int) -> int: ...


Rollout = Callable[[Sequence[Task], Sampler, SamplingParams, int, int], list[Group]]
"""(tasks, sampler, params, n, seed) to n traces of every task, in the order of the tasks."""


class Algorithm(Protocol):
    """Maps scored groups to per-token training signals."""

    @property
    def loss(self) -> Any:
        """What the signals' tokens minimise: an `optimize.loss.Loss`."""
        ...

    def signals(self, groups: Sequence[Group]) -> list[Signal]: ...


@dataclass(frozen=True, slots=True)
class Signal:
    """What an algorithm makes of one trace.

    `optimize.loss.Surrogate` reads three weights. With logp the trainer's log-probability of a token, r = exp(logp -
    trace.logprobs) and A = `advantage` (of the trace, or of each of its sampled tokens), the loss is, each term divided
    by its own token count: policy gradient `-min(r A, clip(r, 1 - clip_low, 1 + clip_high) A)`; likelihood
    `-likelihood * logp`; reference KL `kl * KL(policy || reference)`. Tokens that the policy did not sample weigh
    nothing. Other losses read other fields: `sign`: +1 for what is wanted, -1 for what is not; `pair`: the same
    number on both traces of a pair, and on no others; `rate`: share of the task's answers that are right.
    """

    trace: Trace
    advantage: float | Sequence[float] = 0.0
    likelihood: float = 0.0
    kl: float = 0.0
    clip_low: float = 0.2
    clip_high: float = 0.2
    sign: float = 0.0
    pair: int | None = None
    rate: float = 0.0

    @property
    def matters(self) -> bool:
        """Whether any loss would look at it."""
        weighty = self.advantage if isinstance(self.advantage, int | float) else any(self.advantage)
        return bool(weighty or self.likelihood or self.kl or self.sign)


class Learner(Protocol):
    """Turns signals into a better policy."""

    def step(self, signals: Sequence[Signal]) -> Mapping[str, float]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class View(Protocol):
    """What acquisition, selection and optimisation may know of the run: no sealed task, no sealed result."""

    @property
    def cycle(self) -> int: ...
    @property
    def level(self) -> int:
        """The highest level that the champion has been taught or has taught itself."""
        ...

    @property
    def champion(self) -> Policy:
        """Who answers and labels: the last policy that the gate promoted."""
        ...

    @property
    def trainee(self) -> Policy:
        """Whose training goes on: the last candidate, or the champion after a promotion or a roll back."""
        ...

    @property
    def base(self) -> Policy:
        """The policy that the run began with."""
        ...

    @property
    def knobs(self) -> Mapping[str, float]:
        """Settings that monitors have turned, by name; what is not in it is as it was configured."""
        ...

    @property
    def waiting(self) -> int:
        """Rounds since the champion was promoted, or since the run began."""
        ...

    @property
    def meter(self) -> Meter: ...
    def seed(self, purpose: str) -> int:
        """A seed that depends on the run's seed, the cycle and the purpose alone."""
        ...

    def sampler(self, policy: Policy, member: int = 0) -> Sampler: ...

    def engine(self, model: Any, tokenizer: Any) -> Sampler:
        """A sampler of a model that is being trained, on behalf of the trainee."""
        ...

    def load(self, policy: Policy, member: int = 0) -> tuple[Any, Any]:
        """A model of a policy of kind `weights`, in fp32, and its tokenizer."""
        ...

    def training(self, policy: Policy, member: int = 0) -> Mapping[str, Any] | None:
        """State in which a member's learner stopped; None where the policy was stored without."""
        ...

    def publish(
        self,
        models: Sequence[Any],
        tokenizer: Any,
        rows: Sequence[Group],
        depth: int,
        training: Sequence[Mapping[str, Any]] = (),
    ) -> Policy:
        """Store a candidate, child of the trainee, made from `rows` of at most `depth`, and its learners' states."""
        ...

    def candidate(self, policy: Policy) -> Any:
        """An `evolve.candidate.Candidate`: the files of a policy that is none of weights."""
        ...

    def publish_files(self, candidate: Any, kept: Mapping[str, bytes]) -> Policy:
        """Store files as a candidate, child of the trainee; `kept`: what else of the cycle to keep, by plain names."""
        ...

    def kept(self, name: str) -> Iterator[bytes]:
        """What earlier cycles have kept by that name, oldest first."""
        ...

    def history(self) -> Iterator[list[Group]]:
        """Rows of every earlier cycle whose candidate was promoted, oldest first."""
        ...


class Curriculum(Protocol):
    """Chooses the tasks of each on-policy step, and learns from what came of them."""

    @property
    def metrics(self) -> Mapping[str, float]: ...
    def draw(self, tasks: Sequence[Task], n: int, rng: random.Random) -> list[Task]:
        """At most n of the tasks, none twice."""
        ...

    def observe(self, groups: Sequence[Group], signals: Sequence[Signal]) -> None:
        """The groups of one step, scored, and the signals that the algorithm made of them."""
        ...

    def state_dict(self) -> dict[str, float]: ...
    def load_state_dict(self, state: Mapping[str, float]) -> None: ...


Optimize = Callable[[Sequence[Group], View], tuple[Policy, dict[str, float]]]
"""Selected groups to a candidate, and figures of its training."""


class Source(Protocol):
    """Acquires groups: bare tasks, tasks with gold traces, or tasks with the champion's own traces."""

    def propose(self, view: View) -> list[Group]: ...


class Selector(Protocol):
    """Marks traces, or whole groups, as rejected with a reason; it never drops one silently."""

    def select(self, groups: Sequence[Group], view: View) -> list[Group]: ...


class RewardFn(Protocol):
    name: str

    @property
    def verifier_calls(self) -> int:
        """What scoring one trace counts as: 0 where no verifier is asked."""
        ...

    def score(self, group: Group) -> Group:
        """The group with one more reward on each trace; None where it could not be scored."""
        ...


class Refiner(Protocol):
    """Better answers from the same weights."""

    name: str

    @property
    def n(self) -> int:
        """Samples that it takes of each task."""
        ...

    def answer(self, tasks: Sequence[Task], sampler: Sampler, seed: int) -> list[Trace]: ...


class Gate(Protocol):
    @property
    def reuse(self) -> int:
        """Comparisons that one sealed set serves before it is replaced by fresh tasks."""
        ...

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Its configuration, which the ledger keeps beside each decision."""
        ...

    def decide(self, champion: Report, candidate: Report, look: int, answered: int = 0) -> Decision:
        """`look`: 1 for the first comparison of the run. `answered`: earlier verdicts on this set other than hold."""
        ...


class Probe(Protocol):
    """Measures figures of a cycle for which a model or a judge has to be asked; `groups` are what training was fed."""

    def __call__(self, view: View, candidate: Policy, groups: Sequence[Group]) -> dict[str, float]: ...
