"""Edits by a language model behind any endpoint that speaks the protocol of OpenAI.

Replies are recorded in the meter's journal and replayed from it, and what they cost is in the meter
(`models.openai`). An endpoint that is down, slow or talks nonsense costs its retries and gives a `NoEdit`; what no
retry can mend, such as a full disk, and a budget that is spent, pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate import prompts
from autotroph.evolve.mutate.python import tree
from autotroph.evolve.mutate.replay import improvement
from autotroph.evolve.mutate.replies import Changes, diff, rewrite
from autotroph.evolve.protocols import Edit, Parent, Surroundings
from autotroph.models.openai import Answer, Endpoint, EndpointError, OpenAIClient

Form = Literal["diff", "rewrite", "crossover", "reflect", "thought", "lessons"]


@dataclass(frozen=True)
class Way:
    """How to ask, and how to read what comes. `parents`: how many it needs; `traces`: whether it shows what went wrong,
    without which it asks nothing; `change`: whether it shows what made the second parent better than the third;
    `lessons`: whether it shows what was tried in the search and what came of it."""

    instructions: tuple[str, ...]
    read: Callable[[str, Candidate], Changes]
    parents: int = 1
    traces: bool = False
    change: bool = False
    lessons: bool = False

    @property
    def said(self) -> bool:
        """Whether it asks for a sentence, which is kept, before the edit."""
        return self.traces or self.change or self.lessons


WAYS: Mapping[Form, Way] = MappingProxyType(
    {
        "diff": Way((prompts.DIFF,), diff),
        "rewrite": Way((prompts.REWRITE,), rewrite),
        "crossover": Way((prompts.CROSSOVER, prompts.REWRITE), rewrite, parents=2),
        "reflect": Way((prompts.REFLECT, prompts.DIFF), diff, traces=True),
        "thought": Way((prompts.THOUGHT, prompts.DIFF), diff, parents=3, change=True),
        "lessons": Way((prompts.LESSONS, prompts.DIFF), diff, lessons=True),
    }
)


@dataclass(frozen=True)
class LanguageModel:
    """Asks one question an edit. A changed Python file that does not parse is no edit, unless its parent's did not."""

    endpoint: Endpoint
    form: Form = "diff"
    params: SamplingParams = field(default_factory=lambda: SamplingParams(temperature=0.8, max_tokens=4096))

    @property
    def name(self) -> str:
        return f"llm-{self.form}"

    @property
    def parents(self) -> int:
        return WAYS[self.form].parents

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        way, candidate = WAYS[self.form], parents[0].candidate
        seed = around.rng.getrandbits(31)
        reply = self._asked(self.prompt(parents, around), seed, around)
        child = candidate.edited(way.read(reply, candidate))
        for name in child.open:
            if name.endswith(".py") and child.files[name] != candidate.files.get(name) and _parses(candidate, name):
                tree(child.text(name))
        return Edit(child, _said(reply) if way.said else "")

    def prompt(self, parents: Sequence[Parent], around: Surroundings) -> str:
        """Raises NoEdit where what the form needs is missing: parents, or something that went wrong."""
        way = WAYS[self.form]
        if len(parents) < way.parents:
            raise NoEdit(f"{self.name} needs {way.parents} parents")
        went_wrong = prompts.traces(parents[0])
        if way.traces and not went_wrong:
            raise NoEdit("nothing is said of any task that went badly")
        change = prompts.changed(*improvement(parents)) if way.change else ""
        versions = zip(
            parents[: 1 if way.change else way.parents], ("The current version", "A second version"), strict=False
        )
        return prompts.joined(
            [
                prompts.described(around.describe),
                *(prompts.shown(parent, title) for parent, title in versions),
                went_wrong if way.traces else "",
                change,
                prompts.learnt(around.briefing) if way.lessons else "",
                *way.instructions,
            ]
        )

    def _asked(self, prompt: str, seed: int, around: Surroundings) -> str:
        policy = Policy(self.endpoint.model, "text", self.endpoint.url, depth=1)
        try:
            answer: Answer = OpenAIClient(self.endpoint, policy, around.meter).answers([prompt], self.params, [seed])[0]
        except EndpointError as error:
            raise NoEdit(str(error), "endpoint failed") from None
        if answer.stop == "error":
            raise NoEdit(f"the endpoint gave no answer: {answer.error}", "endpoint gave no answer")
        return answer.text


def _said(reply: str) -> str:
    """How a reply begins, on one line, as text that can be kept."""
    return " ".join(reply[:1000].split())[:200].encode(errors="replace").decode()


def _parses(candidate: Candidate, name: str) -> bool:
    """Whether a file is one that should: a new one, or one that did."""
    try:
        tree(candidate.text(name) if name in candidate.files else "")
    except NoEdit:
        return False
    return True


MUTATOR = LanguageModel
