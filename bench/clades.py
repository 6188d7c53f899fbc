"""What foretells how good a clade will become: the pooled outcomes of the clade, as HGM has it, or the node's own.

    .venv/bin/python bench/clades.py

Writes bench/results/clades.json; some minutes on two cores. In each run, after a quarter and after half of its
evaluations, every node with an outcome of its own has two estimates: the mean of its own
outcomes, and that of its clade's. What they are to foretell uses only descendants that are made after that moment:

- realised: the best true skill among those that the run goes on to make, over nodes that have any. That is clade
  metaproductivity (arXiv:2510.21614) as one run shows it, and it depends on whom the policy goes on to expand;
- equal future: the mean over REPEATS of the best true skill among CHILDREN more, each made from a node of the clade,
  drawn evenly, so that every clade is given the same.

Both over all these nodes, and over those alone that had a child by that moment: of the others the clade is the node.
Of each run: Spearman's rank correlation of each estimate with the value, and their difference. Over the runs: means
with 95% t intervals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from autotroph.evaluate.intervals import paired_interval
from autotroph.evolve.arena import Game, landscape, processes
from autotroph.evolve.policies.registry import policy
from autotroph.store.run import machine

OUT = Path(__file__).parent / "results" / "clades.json"
EVALUATIONS, SEEDS, CHILDREN, REPEATS = 1000, 40, 20, 5
PLACES, POLICIES = ("drift_tree", "drift_tree_60"), ("hgm", "random")
LEAST = 5
"""Nodes without which a rank correlation is not taken."""


def measured(name: str, place: str, seed: int) -> dict[str, dict[str, Any]]:
    """'moment, value' -> correlations of both estimates and the number of nodes; of one run."""
    game = Game(landscape(place, seed), policy(name), seed, EVALUATIONS)
    snapshots = {}
    for number, _ in enumerate(game.steps(), start=1):
        if number in (EVALUATIONS // 4, EVALUATIONS // 2):
            snapshots[number] = snapshot(game, seed)
    found = {}
    for moment, (nodes, own, clade, equal) in snapshots.items():
        share = f"{moment / EVALUATIONS:g}"
        values = {"realised": realised(game, len(equal), nodes), "equal future": equal[nodes]}
        parents = np.isin(nodes, game.archive.column("parent")[: len(equal)])
        for what, value in values.items():
            found[f"{share}, {what}, all nodes"] = compared(own, clade, value)
            found[f"{share}, {what}, parents"] = compared(own[parents], clade[parents], value[parents])
    return found


def snapshot(game: Game, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nodes with an outcome [M], their own means and their clades' [M], and the equal future of all nodes [N]."""
    archive = game.archive
    nodes = np.flatnonzero(archive.column("trials"))
    clade = archive.column("clade_successes")[nodes] / archive.column("clade_trials")[nodes]
    return nodes, archive.means[nodes], clade, equal_future(game, np.random.default_rng([seed, 5]))


def members(game: Game) -> list[list[int]]:
    """Of each node: its clade."""
    clades: list[list[int]] = [[] for _ in range(len(game.archive))]
    for node in range(len(game.archive)):
        for ancestor in game.archive.line(node):
            clades[ancestor].append(node)
    return clades


def equal_future(game: Game, rng: np.random.Generator) -> np.ndarray:
    values = []
    for clade in members(game):
        best = []
        for _ in range(REPEATS):
            genomes = [game.genomes[node] for node in clade]
            for _ in range(CHILDREN):
                genomes.append(game.landscape.child([genomes[rng.integers(len(genomes))]], rng))
            best.append(max(map(game.landscape.skill, genomes[len(clade) :])))
        values.append(fmean(best))
    return np.array(values)


def realised(game: Game, moment: int, nodes: np.ndarray) -> np.ndarray:
    """The best true skill among descendants from number `moment` on [M]; NaN where there are none."""
    clades = members(game)
    later = [[game.skill(one) for one in clades[node] if one >= moment] for node in nodes]
    return np.array([max(skills) if skills else np.nan for skills in later])


def compared(own: np.ndarray, clade: np.ndarray, value: np.ndarray) -> dict[str, Any]:
    known = ~np.isnan(value)
    varied = known.sum() >= LEAST and all(len(set(one[known])) > 1 for one in (own, clade, value))
    ranks = [float(spearmanr(one[known], value[known]).statistic) for one in (own, clade)] if varied else [None, None]
    return {"own": ranks[0], "clade": ranks[1], "nodes": int(known.sum())}


def enough(runs: Sequence[dict[str, Any]]) -> bool:
    """Whether an interval can be had: a cell in which hardly any run has ranks to compare says nothing."""
    return sum(run["own"] is not None for run in runs) > 1


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    used = [run for run in runs if run["own"] is not None]
    differences = [run["clade"] - run["own"] for run in used]
    return {
        "runs": len(used),
        "left_out": len(runs) - len(used),
        "nodes": fmean(run["nodes"] for run in used),
        **{name: fmean(run[name] for run in used) for name in ("own", "clade")},
        "difference": fmean(differences),
        "interval": paired_interval(differences),
        "differences": [round(one, 4) for one in differences],
    }


def main() -> None:
    with processes() as pool:
        jobs = {
            (place, name): [pool.submit(measured, name, place, seed) for seed in range(SEEDS)]
            for place in PLACES
            for name in POLICIES
        }
        runs = {key: [job.result() for job in own] for key, own in jobs.items()}
    found = {
        f"{place}, {name}, {what}": summary(cell)
        for (place, name), own in runs.items()
        for what in own[0]
        if enough(cell := [run[what] for run in own])
    }
    about = {"evaluations": EVALUATIONS, "seeds": SEEDS, "cells": found, "machine": machine()}
    OUT.write_text(json.dumps(about) + "\n")
    for name, cell in found.items():
        low, high = cell["interval"]
        print(
            f"{name:52} own {cell['own']:+.3f} clade {cell['clade']:+.3f} "
            f"difference {cell['difference']:+.3f} ({low:+.3f} to {high:+.3f}), {cell['nodes']:.0f} nodes, "
            f"{cell['runs']} runs"
        )


if __name__ == "__main__":
    main()
