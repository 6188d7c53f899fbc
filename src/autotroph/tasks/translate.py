"""Translation between two small made-up languages with a grammar each: one right translation, and shares of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from autotroph.core.task import Task
from autotroph.tasks.procedural import Procedural

NOUNS, VERBS, ADJECTIVES = "abcdefgh", "klmnop", "stuvw"
WORDS = dict(zip(NOUNS + VERBS + ADJECTIVES, "QTBXHDMJ" + "ZFRLGV" + "NKWPC", strict=True))
"""Every word of the source language and its translation."""
BACK = {target: source for source, target in WORDS.items()}


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for place, b in enumerate(other, 1):
            before, row[place] = row[place], before + 1 if a == b else max(row[place], row[place - 1])
    return row[-1]


class Translate(Procedural):
    """Level n: n clauses. The score is the length of the longest common subsequence of words with the translation, as a
    share of the longer of the two: 1 for it alone.

    The source says subject, verb, object, an adjective before its noun, and "'" behind a noun that is plural. The
    target says subject, object, verb, the adjective behind its noun; plural words are doubled, and adjectives go with
    their noun, verbs with their subject: "sa' k b>" (s a', k, b) is "QQ NN T ZZ". Clauses are parted by ";".
    """

    name = "translate"
    levels = range(1, 9)
    alphabet = "".join(WORDS) + "".join(WORDS.values()) + "' ;>"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        clauses = [self._clause(rng) for _ in range(level)]
        return ";".join(source for source, _ in clauses) + ">", ";".join(target for _, target in clauses)

    def _clause(self, rng: random.Random) -> tuple[str, str]:
        (subject, target), (object_, its) = self._noun(rng), self._noun(rng)
        verb = rng.choice(VERBS)
        said = WORDS[verb] * (2 if subject.endswith("'") else 1)
        return f"{subject} {verb} {object_}", f"{target} {its} {said}"

    def _noun(self, rng: random.Random) -> tuple[str, str]:
        noun, adjective, plural = rng.choice(NOUNS), rng.choice(["", *ADJECTIVES]), rng.random() < 0.5
        words = [WORDS[word] * (1 + plural) for word in (noun, adjective) if word]
        return adjective + noun + "'" * plural, " ".join(words)

    def verify(self, task: Task, answer: str) -> float | None:
        gold, found = words(task.answer or ""), words(answer)
        if len(answer) > self.max_answer(task.level) or any(not word.strip() for word in found):
            return 0.0
        return common(gold, found) / max(len(gold), len(found))

    def recheck(self, task: Task, answer: str) -> float | None:
        """Translates back."""
        return float(";".join(map(back, answer.split(";"))) + ">" == task.prompt)

    def wrong_answers(self, task: Task) -> list[str]:
        gold = task.answer or ""
        return ["", " ", gold.replace(";", "").lower(), gold.replace(";", "").replace(" ", "")]

    def max_answer(self, level: int) -> int:
        return 15 * level - 1


def words(text: str) -> list[str]:
    """The words of a text; the end of a clause is one."""
    return text.replace(";", " ; ").split(" ")


def back(clause: str) -> str:
    """The source of a target clause; nothing for what is none."""
    said = clause.split(" ")
    nouns = [place for place, word in enumerate(said) if BACK.get(word[:1], "-") in NOUNS]
    if len(nouns) != 2 or nouns[0] != 0 or any(word not in (word[:1], word[:1] * 2) or not word for word in said):
        return ""
    *phrases, verb = said
    told = []
    for phrase in (phrases[: nouns[1]], phrases[nouns[1] :]):
        plural = {len(word) for word in phrase}
        if (
            not 1 <= len(phrase) <= 2
            or len(plural) > 1
            or any(BACK.get(w[0], "-") not in ADJECTIVES for w in phrase[1:])
        ):
            return ""
        told.append("".join(BACK[word[0]] for word in reversed(phrase)) + "'" * (plural.pop() - 1))
    if BACK.get(verb[0], "-") not in VERBS or len(verb) != len(said[0]):
        return ""
    return f"{told[0]} {BACK[verb[0]]} {told[1]}"
