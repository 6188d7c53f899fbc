"""Every search policy by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.evolve.policies.best_of_n import BestOfN
from autotroph.evolve.policies.dgm import DGM
from autotroph.evolve.policies.gepa import GEPA
from autotroph.evolve.policies.hgm import HGM
from autotroph.evolve.policies.hill_climb import HillClimb
from autotroph.evolve.policies.hyperagents import HyperAgents
from autotroph.evolve.policies.islands import Islands
from autotroph.evolve.policies.latest import Latest
from autotroph.evolve.policies.plateau import Plateau
from autotroph.evolve.policies.random import Random
from autotroph.evolve.policies.shinka import Shinka
from autotroph.evolve.protocols import SearchPolicy


@dataclass(frozen=True)
class Registered:
    """`make`: the policy's class; its fields with their defaults are its settings. `source`: where it comes from."""

    make: Callable[..., SearchPolicy]
    source: str

    @property
    def defaults(self) -> dict[str, Any]:
        made: Any = self.make()
        return {one.name: getattr(made, one.name) for one in fields(made)}


POLICIES: Mapping[str, Registered] = MappingProxyType(
    {
        "random": Registered(Random, "baseline"),
        "best_of_n": Registered(BestOfN, "baseline"),
        "hill_climb": Registered(HillClimb, "baseline"),
        "dgm": Registered(DGM, "arXiv:2505.22954"),
        "hgm": Registered(HGM, "arXiv:2510.21614"),
        "hyperagents": Registered(HyperAgents, "github.com/facebookresearch/HyperAgents"),
        "latest": Registered(Latest, "arXiv:2505.22954"),
        "islands": Registered(Islands, "github.com/algorithmicsuperintelligence/openevolve"),
        "shinka": Registered(Shinka, "arXiv:2509.19349"),
        "gepa": Registered(GEPA, "arXiv:2507.19457"),
        "plateau": Registered(Plateau, "our own"),
    }
)


def policy(name: str, **settings: Any) -> SearchPolicy:
    """A policy with these settings, its defaults where there are none.

    Raises AutotrophError for a name that no policy has, and for a setting that this one does not have.
    """
    if name not in POLICIES:
        raise AutotrophError(f"no search policy '{name}'; there are {', '.join(POLICIES)}")
    registered = POLICIES[name]
    if strange := settings.keys() - registered.defaults.keys():
        known = ", ".join(registered.defaults) or "none"
        raise AutotrophError(f"search policy '{name}' has no setting '{min(strange)}'; it has {known}")
    return registered.make(**settings)
