"""The algorithms by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from autotroph.core.protocols import Algorithm
from autotroph.optimize.algo.dapo import DAPO
from autotroph.optimize.algo.distillation import EMATeacher, OnPolicyDistillation
from autotroph.optimize.algo.dpo import DPO
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.algo.gspo import GSPO
from autotroph.optimize.algo.ipo import IPO
from autotroph.optimize.algo.kto import KTO
from autotroph.optimize.algo.nft import NFT
from autotroph.optimize.algo.ppo import PPO
from autotroph.optimize.algo.reinforce import REINFORCE
from autotroph.optimize.algo.rloo import RLOO
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.algo.simpo import SimPO
from autotroph.optimize.algo.spo import SPO
from autotroph.optimize.algo.weighted_sft import WeightedSFT
from autotroph.optimize.gro import Reference

OnPolicy = Literal[
    "grpo", "dr_grpo", "dapo", "gspo", "rloo", "reinforce", "ppo", "nft", "spo",
    "weighted_sft", "dpo", "ipo", "kto", "simpo",
]  # fmt: skip
"""Those that learn from rewards of the policy's own answers."""


class Named(NamedTuple):
    """How an algorithm is made with its source's settings, where it is from, and whom its loss looks at."""

    make: Callable[[], Algorithm]
    source: str
    reference: Reference | None = None


ALGORITHMS: Mapping[str, Named] = MappingProxyType(
    {
        "sft": Named(SFT, "arXiv:2308.01825"),
        "weighted_sft": Named(WeightedSFT, "doi:10.1145/1273496.1273590"),
        "nft": Named(NFT, "arXiv:2505.18116"),
        "reinforce": Named(REINFORCE, "doi:10.1007/BF00992696"),
        "rloo": Named(RLOO, "arXiv:2402.14740"),
        "grpo": Named(GRPO, "arXiv:2402.03300"),
        "dr_grpo": Named(partial(GRPO, normalise=False), "arXiv:2503.20783"),
        "dapo": Named(DAPO, "arXiv:2503.14476"),
        "gspo": Named(GSPO, "arXiv:2507.18071"),
        "ppo": Named(PPO, "arXiv:1707.06347"),
        "dpo": Named(DPO, "arXiv:2305.18290", "champion"),
        "ipo": Named(IPO, "arXiv:2310.12036", "champion"),
        "kto": Named(KTO, "arXiv:2402.01306", "champion"),
        "simpo": Named(SimPO, "arXiv:2405.14734"),
        "spo": Named(SPO, "arXiv:2401.04056"),
        "ema_teacher": Named(EMATeacher, "arXiv:1703.01780", "average"),
        "on_policy_distillation": Named(OnPolicyDistillation, "arXiv:2306.13649", "base"),
    }
)
