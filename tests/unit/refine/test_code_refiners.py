"""Refiners that run programs, against a sampler that answers from a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scripted import Characters

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Provenance, Task
from autotroph.core.trace import Completion
from autotroph.refine.agreement import Agreement
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.repair import Repair
from autotroph.rewards.verifiable import Verifiable
from autotroph.tasks.code.listfn import Bugs, ListFn

WARM = SamplingParams(max_tokens=40)
CASES = [(([3, 1, 2],), [1, 2, 3]), (([2, 2],), [2, 2])]
SORT = Task(
    "k", "listfn", "[3,1,2]>[1,2,3]=", "sorted(a)", 1, "train", Provenance("test"), {"shown": CASES[:1], "cases": CASES}
)


@dataclass
class Script:
    """Answers in turn, each with the log-probability of its every token; remembers the prompts."""

    answers: list[tuple[str, float]]
    tokenizer: Characters = field(default_factory=Characters)
    policy: Policy = field(default_factory=lambda: Policy("p", "weights", "nowhere"))
    meter: Meter = field(default_factory=Meter)
    asked: list[str] = field(default_factory=list)

    def sample(
        self, prompts: Sequence[Sequence[int]], params: SamplingParams, seeds: Sequence[int]
    ) -> list[Completion]:
        self.asked += [self.tokenizer.decode(prompt) for prompt in prompts]
        return [self._complete(*self.answers.pop(0)) for _ in prompts]

    def _complete(self, text: str, logprob: float) -> Completion:
        ids = (*self.tokenizer.encode(text), self.tokenizer.eos_id)
        return Completion(ids, (logprob,) * len(ids), "stop", 0.0)


def script(*texts: str) -> Script:
    return Script([(text, -1.0) for text in texts])


def test_repair_keeps_what_passes_and_asks_no_more() -> None:
    sampler = script("[1,2,3]")
    assert [trace.text for trace in Repair(ListFn(), WARM, rounds=3).answer([SORT], sampler, 0)] == ["[1,2,3]"]
    assert sampler.meter.verifier_calls == 1


def test_repair_takes_the_first_answer_that_passes() -> None:
    sampler = script("a", "a[::-1", "sorted(a)", "never asked")
    assert [trace.text for trace in Repair(ListFn(), WARM, rounds=5).answer([SORT], sampler, 0)] == ["sorted(a)"]
    assert sampler.asked == [SORT.prompt] * 3


def test_repair_falls_back_to_the_raw_answer() -> None:
    sampler = script("a", "a[1:]", "a[2:]")
    assert [trace.text for trace in Repair(ListFn(), WARM, rounds=2).answer([SORT], sampler, 0)] == ["a"]


def test_repair_of_bugs_feeds_the_failure_back() -> None:
    task = Task("k", "bugs", f"a[1:]|{SORT.prompt}", "sorted(a)", 1, "train", Provenance("test"), SORT.meta)
    sampler = script("a[2:]", "a[::-1]", "sorted(a)")
    assert [trace.text for trace in Repair(Bugs(), WARM, rounds=4).answer([task], sampler, 0)] == ["sorted(a)"]
    assert [prompt.partition("|")[0] for prompt in sampler.asked] == ["a[1:]", "a[2:]", "a[::-1]"]


def test_agreement_counts_behaviour_not_text() -> None:
    """Two texts of one behaviour outvote the text that was given most often; the likelier of the two answers."""
    wrong = "[1,2,3]+a[3:]"  # passes what is shown
    answers = [
        (wrong, -0.1),
        ("sorted(a)", -2.0),
        (wrong, -0.1),
        ("sorted(a)[:]", -1.0),
        ("a", 0.0),
        ("sorted(a)", -2.0),
    ]
    [trace] = Agreement(ListFn(), WARM, n=6).answer([SORT], Script(answers), 0)
    assert trace.text == "sorted(a)"
    [trace] = Agreement(ListFn(), WARM, n=2).answer([SORT], Script([("sorted(a)", -2.0), ("sorted(a)[:]", -1.0)]), 0)
    assert trace.text == "sorted(a)[:]"


def test_agreement_among_failures_is_a_vote() -> None:
    [trace] = Agreement(ListFn(), WARM, n=3).answer([SORT], script("a", "nonsense", "nonsense"), 0)
    assert trace.text == "nonsense"


def test_the_best_by_visible_tests_sees_no_other_case() -> None:
    sampler = script("a", "[1,2,3]", "sorted(a)")
    [trace] = BestOfN(Verifiable.visible(ListFn()), WARM, 3).answer([SORT], sampler, 0)
    assert trace.text == "[1,2,3]"
    assert ListFn().verify(SORT, trace.text) == 0
