"""Jails on the machines of a Ray cluster: `autotroph[ray]`."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.sandbox.jail import IMPORTS, LOST, Jail
from autotroph.sandbox.outcome import Limits, Outcome


class RayJail(Jail):
    """A jail whose `workers` are Ray actors, each with a warm jail on the machine where Ray has put it.

    Connects to the cluster that Ray knows of, or starts Ray on this machine. Each of those machines needs bubblewrap,
    and the folders of `packages` at the same paths. A candidate whose actor dies with its machine is lost, not run
    again: it may be what killed it. Raises AutotrophError where Ray is not installed, or a machine has no jail.
    """

    def __init__(self, workers: int, imports: Sequence[str] = IMPORTS, packages: Sequence[Path] = ()) -> None:
        try:
            import ray
        except ImportError:
            raise AutotrophError("jails on Ray: ray is not installed; pip install 'autotroph[ray]'") from None
        self._ray = ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        actor = ray.remote(num_cpus=1, max_restarts=-1)(Jail)
        self._actors = [actor.remote(1, imports, packages) for _ in range(workers)]
        self._idle: queue.Queue[Any] = queue.Queue()
        for each in self._actors:
            self._idle.put(each)

    def order(self, order: Mapping[str, Any], stdin: str, limits: Limits) -> Outcome:
        with self._one() as actor:
            return self._outcome(actor.order.remote(order, stdin, limits))

    def pair(self, program: Mapping[str, Any], tests: Mapping[str, Any], limits: Limits) -> Outcome:
        with self._one() as actor:
            return self._outcome(actor.pair.remote(program, tests, limits))

    def close(self) -> None:
        """Ends the actors, and their jails with them."""
        for actor in self._actors:
            self._ray.kill(actor)

    @contextmanager
    def _one(self) -> Iterator[Any]:
        actor = self._idle.get()
        try:
            yield actor
        finally:
            self._idle.put(actor)

    def _outcome(self, promised: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(promised)
        except self._ray.exceptions.RayTaskError as error:
            raise AutotrophError(f"jails on Ray: {error.cause}") from error
        except self._ray.exceptions.RayActorError:
            return LOST
        return outcome
