"""Small models on many cores: whole jobs side by side, because their matrix products are too small to be shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

from autotroph.models.transformer import Transformer

T = TypeVar("T")

SMALL = 64_000_000
"""Parameters below which cores do more as independent workers than as helpers of one matrix product."""

_job = threading.local()


class Abandoned(Exception):
    """Ends a job whose caller no longer waits for it."""


def small(model: Transformer) -> bool:
    on_cpu = next(model.parameters()).device.type == "cpu"
    return on_cpu and model.size < SMALL


def workers_for(model: Transformer) -> int:
    """How many jobs of this model run best at once: for a small one on the CPU, one for each core of this thread."""
    return torch.get_num_threads() if small(model) else 1


def in_parallel(function: Callable[..., T], *columns: Iterable[object], workers: int | None = None) -> list[T]:
    """`map`, at most `workers` calls at a time (none: one for each core), the cores shared out among them.

    Results come in order. When one call fails, or Ctrl-C is pressed, the others end at their next `check_in`.
    """
    calls = list(zip(*columns, strict=True))
    cores = torch.get_num_threads()
    workers = min(workers or cores, len(calls))
    if workers <= 1:
        return [function(*call) for call in calls]
    stop = threading.Event()

    def job(call: tuple[object, ...]) -> T:
        torch.set_num_threads(max(1, cores // workers))
        _job.stop = stop
        return function(*call)

    pool = _pool(workers)
    jobs = [pool.submit(job, call) for call in calls]
    try:
        return [one.result() for one in jobs]
    except BaseException:
        stop.set()
        for one in jobs:
            one.cancel()
        wait(jobs)
        raise


def _pool(workers: int) -> ThreadPoolExecutor:
    """This thread's pool of so many workers. Pools stay, because every new thread would keep memory of its own."""
    pools: dict[int, ThreadPoolExecutor] = _job.__dict__.setdefault("pools", {})
    if workers not in pools:
        pools[workers] = ThreadPoolExecutor(workers)
    return pools[workers]


def check_in() -> None:
    """Called between the steps of a long job; raises Abandoned when nobody waits for it any more."""
    stop = getattr(_job, "stop", None)
    if stop is not None and stop.is_set():
        raise Abandoned
