"""Task families by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.modules import named
from autotroph.core.protocols import TaskFamily
from autotroph.tasks.addition import Addition
from autotroph.tasks.bandit import Bandit
from autotroph.tasks.code.arc import Arc, ArcPrograms
from autotroph.tasks.code.listfn import Bugs, ListFn, Partial, TestsAsPrompt
from autotroph.tasks.code.published import MBPP, HumanEval
from autotroph.tasks.code.tool_calls import ToolCalls
from autotroph.tasks.countdown import Countdown
from autotroph.tasks.family import did_you_mean
from autotroph.tasks.games.family import Played
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.leduc import Leduc
from autotroph.tasks.games.nim import Nim
from autotroph.tasks.games.tictactoe import TicTacToe
from autotroph.tasks.in_context import InContext
from autotroph.tasks.maze import MazePath, MazeWalk
from autotroph.tasks.multiplication import Multiplication
from autotroph.tasks.preferences import Preferences
from autotroph.tasks.programs.agents import AgentGame, AgentListFn
from autotroph.tasks.programs.autocorrelation import Autocorrelation
from autotroph.tasks.programs.bin_packing import BinPacking
from autotroph.tasks.programs.cap_set import CapSet
from autotroph.tasks.programs.circle_packing import CirclePacking
from autotroph.tasks.programs.erdos import ErdosMinimumOverlap
from autotroph.tasks.programs.function_minimisation import FunctionMinimisation
from autotroph.tasks.programs.modules import Modules
from autotroph.tasks.programs.points import DistanceRatio, Heilbronn
from autotroph.tasks.programs.repair import Repair
from autotroph.tasks.programs.sorting_networks import SortingNetworks
from autotroph.tasks.programs.symbolic_regression import SymbolicRegression
from autotroph.tasks.reasoning_gym import ReasoningGym
from autotroph.tasks.steps import Steps
from autotroph.tasks.strings import Copy, Reverse
from autotroph.tasks.translate import Translate
from autotroph.tasks.user_jsonl import UserJsonl

FAMILIES: Mapping[str, Callable[..., TaskFamily]] = MappingProxyType(
    {
        "addition": Addition,
        "addition_forward": partial(Addition, "forward"),
        "multiplication": Multiplication,
        "copy": Copy,
        "reverse": Reverse,
        "maze": MazePath,
        "maze_walk": MazeWalk,
        "steps": Steps,
        "countdown": Countdown,
        "countdown_bfs": partial(Countdown, "bfs"),
        "countdown_path": partial(Countdown, "path"),
        "countdown_foreign": partial(Countdown, "foreign"),
        "in_context": InContext,
        "bandit": Bandit,
        "translate": Translate,
        "preferences": Preferences,
        "kuhn": partial(Played, Kuhn()),
        "kuhn_rules": partial(Played, Kuhn(), rules=True),
        "leduc": partial(Played, Leduc()),
        "leduc_rules": partial(Played, Leduc(), rules=True),
        "tictactoe": partial(Played, TicTacToe()),
        "nim": partial(Played, Nim()),
        "listfn": ListFn,
        "bugs": Bugs,
        "partial": Partial,
        "tests_as_prompt": TestsAsPrompt,
        "tool_calls": ToolCalls,
        "circle_packing": CirclePacking,
        "erdos_minimum_overlap": ErdosMinimumOverlap,
        "autocorrelation": Autocorrelation,
        "heilbronn": Heilbronn,
        "distance_ratio": DistanceRatio,
        "cap_set": CapSet,
        "bin_packing": BinPacking,
        "function_minimisation": FunctionMinimisation,
        "symbolic_regression": SymbolicRegression,
        "sorting_networks": SortingNetworks,
        "modules": Modules,
        "repair": Repair,
        "agent_listfn": AgentListFn,
        "agent_nim": partial(AgentGame, Nim()),
        "agent_tictactoe": partial(AgentGame, TicTacToe()),
        "agent_kuhn": partial(AgentGame, Kuhn()),
        "humaneval:<path or hub id>": HumanEval,
        "mbpp:<path or hub id>": MBPP,
        "arc:<path>": Arc,
        "arc_programs:<path>": ArcPrograms,
        "reasoning_gym:<dataset>": ReasoningGym,
        "jsonl:<path>": UserJsonl,
    }
)
"""Names to what builds the family; "<...>" stands for the first argument."""


def task_names() -> list[str]:
    """Every name that `task_family` knows; what stands in angle brackets is for the user to fill in."""
    return list(FAMILIES)


def task_family(name: str, **options: Any) -> TaskFamily:
    """The family of a name, such as "addition", "reasoning_gym:leg_counting" or "jsonl:tasks.jsonl", or of a class of
    the user's own, "path/to/file.py:Parity".

    `options` go to its constructor. Raises AutotrophError for a name that is not known.
    """
    kind, _, argument = name.partition(":")
    if kind.endswith(".py"):
        own: TaskFamily = named(name)(**options)
        return own
    for form, family in FAMILIES.items():
        if argument and form.startswith(f"{kind}:"):
            return family(argument, **options)
        if form == name:
            return family(**options)
    forms = {form.partition(":")[0]: form for form in FAMILIES}
    raise AutotrophError(f"unknown task '{name}'; {did_you_mean(kind, forms)}; see `autotroph recipes`")
