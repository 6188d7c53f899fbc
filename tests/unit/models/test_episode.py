"""Multi-turn rollouts: every token accounted for, the environment's words never learnt."""

from autotroph.core.budget import Meter
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.models.engine import Engine
from autotroph.models.episode import expert_trace, play
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.tasks.registry import task_family

FAMILY = task_family("maze_walk")
TOKENIZER = TextTokenizer.characters(FAMILY.alphabet)
TASKS = FAMILY.generate(3, 4, seed=0)


def test_an_expert_walks_to_the_goal_and_only_its_moves_are_learnt() -> None:
    for task in TASKS:
        trace = expert_trace(task, FAMILY, TOKENIZER)
        learnt = [token for token, sampled in zip(trace.ids, trace.sampled, strict=True) if sampled]
        assert FAMILY.verify(task, trace.text) == 1.0
        assert TOKENIZER.decode(learnt) == trace.text == "".join(FAMILY.expert(task))
        assert TOKENIZER.decode(trace.ids).startswith(task.prompt)
        assert "(" in TOKENIZER.decode(trace.ids)[len(task.prompt) :]


def test_a_policy_plays_every_task_n_times_and_fails_untaught() -> None:
    model = Transformer(ModelConfig(vocab_size=len(TOKENIZER))).initialise(0)
    engine = Engine(model, TOKENIZER, Policy("p", "weights", "nowhere"), Meter())
    groups = play(TASKS, FAMILY, engine, SamplingParams(max_tokens=FAMILY.max_action + 1), n=3, seed=0)
    assert [group.task for group in groups] == TASKS
    for group in groups:
        assert len(group.traces) == 3
        for trace in group.traces:
            assert len(trace.ids) == len(trace.sampled) == len(trace.logprobs)
            assert FAMILY.verify(group.task, trace.text) == 0.0
