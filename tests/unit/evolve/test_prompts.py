"""Prompts at work: what stands before a question, and who answers."""

import json
from dataclasses import dataclass, field

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.trace import Completion
from autotroph.evolve.candidate import Candidate
from autotroph.evolve.prompts import PROMPT, Prompted
from autotroph.models.tokenizer import TextTokenizer
from autotroph.recipes.promptquine import Config
from autotroph.sandbox.jail import Jail
from autotroph.tasks.in_context import LETTERS, SHOWN, InContext, Labels

TOKENIZER = TextTokenizer.characters(InContext.alphabet)


@dataclass
class Lookup:
    """A model that reads: the label of the first line about the letter that is asked; "" where there is none."""

    tokenizer: TextTokenizer = TOKENIZER
    asked: list[str] = field(default_factory=list)

    def sample(self, prompts, params, seeds):
        texts = [self.tokenizer.decode(prompt) for prompt in prompts]
        self.asked += texts
        said = [next((line[-1:] for line in text.split("\n")[:-1] if line[:1] == text[-4]), "") for text in texts]
        return [Completion(tuple(self.tokenizer.encode(one)), (0.0,), "length", 0.0) for one in said]


def told(labels: Labels) -> str:
    return "".join(f"{letter}ii {label}\n" for letter, label in labels.labels.items())


def test_the_prompt_stands_before_the_question_and_the_answer_is_judged_by_the_family() -> None:
    labels, model = Labels(3), Lookup()
    family = Prompted(labels, lambda: model, labels.prompt())
    [task] = family.generate(1, 1, 0)
    assert task == labels.generate(1, 1, 0)[0]
    answer, error = family.ask(Jail(), Candidate.of({PROMPT: told(labels)}).directory, task)
    assert (json.loads(answer), error) == (task.answer, "")
    assert model.asked == [told(labels) + task.prompt]
    assert family.verify(task, answer) == 1.0
    silent, _ = family.ask(Jail(), Candidate.of({PROMPT: "nothing"}).directory, task)
    assert (silent, family.verify(task, silent)) == ('""', 0.0)
    assert family.ask(Jail(), Candidate.of({"other.txt": "x"}).directory, task) == ("", f"there is no {PROMPT}")


def test_the_model_is_asked_for_once_and_not_before_the_first_answer() -> None:
    made = []
    family = Prompted(Labels(), lambda: made.append(1) or Lookup(), "aij 0\n")
    tasks = family.generate(1, 3, 0)
    assert made == []
    for task in tasks:
        family.ask(Jail(), Candidate.of(family.starter).directory, task)
    assert made == [1]


def test_labels_follow_from_the_seed_and_the_prompt_is_about_them() -> None:
    labels = Labels(5)
    assert labels.labels == Labels(5).labels
    assert len({json.dumps(Labels(seed).labels) for seed in range(20)}) > 15
    lines = labels.prompt().splitlines()
    assert sorted(line[0] for line in lines) == sorted(LETTERS * SHOWN)
    shares = [
        sum(line[-1] == Labels(seed).labels[line[0]] for line in Labels(seed).prompt().splitlines()) / len(lines)
        for seed in range(50)
    ]
    assert 0.6 < sum(shares) / len(shares) < 0.8
    assert all(task.answer == labels.labels[task.prompt[0]] for task in labels.generate(1, 50, 0, "sealed"))


def test_families_are_sound() -> None:
    Labels().validate()
    InContext().validate()


def test_questions_of_your_own_need_a_prompt() -> None:
    with pytest.raises(AutotrophError, match="--program"):
        Config(problem="copy").family()
