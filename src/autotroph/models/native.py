"""`kernels/` as functions on tensors: C that is compiled for this processor in seconds on first use, and then kept.

Where there is no C compiler `kernels` gives None, and models run on torch alone, which is slower.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from autotroph.core.folders import cache_root
from autotroph.core.protocols import SamplingParams

SOURCES = sorted((Path(__file__).parent / "kernels").glob("*.[ch]"))
Weights = ctypes.Array[ctypes.c_void_p]
"""Addresses of all layers' weights, or of their gradients, in the order of `Layer` in `common.h`."""

LANES = 16
"""Floats of a vector; sizes that kernels run over are multiples of it."""

FLAGS = ("-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC")
DEFINES = {torch.float32: (), torch.bfloat16: ("-DBF16",)}
PRODUCTS = {torch.float32: "sgemm_", torch.bfloat16: "gemm_bf16bf16f32_"}


class Shape(ctypes.Structure):
    """As in `common.h`."""

    _fields_: ClassVar = [
        *((name, ctypes.c_long) for name in ("C", "I", "H", "K", "D", "stride", "layers", "slots")),
        ("eps", ctypes.c_float),
    ]


class Pass(ctypes.Structure):
    """As in `train.c`."""

    _fields_: ClassVar = [
        ("shape", Shape),
        *((name, ctypes.c_void_p) for name in ("layers", "turned", "last_norm")),
        *((name, ctypes.c_long) for name in ("rows", "positions_each")),
        *((name, ctypes.c_void_p) for name in ("positions", "branches", "turns", "blas", "single", "tape", "room")),
    ]


class Sampling(ctypes.Structure):
    """As in `sampling.h`."""

    _fields_: ClassVar = [
        ("shape", Shape),
        *((name, ctypes.c_long) for name in ("vocabulary", "tokens", "prompt_slots", "prompt_stride")),
        *((name, ctypes.c_void_p) for name in ("layers", "embedding", "last_norm", "head", "turns", "blas")),
        *((name, ctypes.c_void_p) for name in ("prompt_keys", "prompt_values", "keys", "values", "room")),
        *((name, ctypes.c_void_p) for name in ("row", "slot", "prompt", "prompt_length", "hidden")),
        *((name, ctypes.c_float) for name in ("temperature", "top_p", "min_p")),
        *((name, ctypes.c_long) for name in ("top_k", "min_tokens")),
        *((name, ctypes.c_void_p) for name in ("is_end", "limit", "spin")),
        *((name, ctypes.c_void_p) for name in ("token", "logp", "raw", "entropy", "certainty", "length", "stopped")),
        *((name, ctypes.c_long) for name in ("chosen", "passed")),
    ]


class Kernels:
    """The functions of `kernels/` for one dtype. Tensors must be contiguous and on the CPU."""

    def __init__(self, library: Path, blas: ctypes.c_void_p | None, single: ctypes.c_void_p):
        self._library, self.blas, self._single = ctypes.CDLL(str(library)), blas, single
        self.tiled = bool(self._library.pack(None, 0, 0, 0, None))
        for name in ("forward", "remember", "backward"):
            getattr(self._library, name).restype = None
        for name in ("sample", "sampling_room", "tape_size", "room_size"):
            getattr(self._library, name).restype = ctypes.c_long
        self._library.choose.restype = ctypes.c_int

    def begin(self, shape: Shape, layers: Weights, packed: bool, norm: Tensor, size: tuple[int, int]) -> Pass:
        """A pass over so many sequences of so many positions, in which tensors are still to be placed."""
        given = ctypes.cast(layers, ctypes.c_void_p), None, _at(norm)
        blas = None if packed else self.blas
        return Pass(shape, *given, *size, None, None, None, blas, self._single, None, None)

    def packed(self, weight: Tensor, back: bool) -> Tensor:
        """A layer's weights [n, k] as they are multiplied, if `tiled`, on the way forward or back."""
        rows, columns = weight.shape
        tiles = weight.new_empty(-(-rows // LANES) * LANES, columns)
        self._library.pack(_at(weight), _size(rows), _size(columns), back, _at(tiles))
        return tiles

    def sizes(self, one: Pass) -> tuple[int, int]:
        """Floats of its tape, which backward needs, and of the room that each call needs."""
        return self._library.tape_size(ctypes.byref(one)), self._library.room_size(ctypes.byref(one))

    def forward(self, one: Pass, hidden: Tensor) -> None:
        """Hidden states from embeddings in the same place."""
        self._library.forward(ctypes.byref(one), _at(hidden))

    def remember(self, one: Pass, kept: Shape, slot_R: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put keys and values of a pass's sequences into those slots of a cache of the shape `kept`."""
        self._library.remember(ctypes.byref(one), ctypes.byref(kept), *map(_at, (slot_R, keys, values)))

    def backward(self, one: Pass, turned: Weights, gradients: Weights, norm: Tensor, slope: Tensor) -> None:
        """The gradient of the embeddings from that of the hidden states, in the same place; adds the weights'."""
        one.turned = ctypes.cast(turned, ctypes.c_void_p)
        self._library.backward(ctypes.byref(one), gradients, _at(norm), _at(slope))

    def room(self, run: Sampling) -> Tensor:
        """What `sample` needs beside what it is given."""
        return torch.empty(self._library.sampling_room(ctypes.byref(run)))

    def sample(self, run: Sampling, rows: int, least: int, steps: int) -> int:
        """Go on with the first rows until no more than `least` of them do, or for so many steps; returns how many go on
        still, or -1 where a logit is not finite."""
        return self._library.sample(ctypes.byref(run), _size(rows), _size(least), _size(steps))

    def choose(
        self, logits_BV: Tensor, params: SamplingParams, spin_B: Tensor, early_B: Tensor, is_end_V: Tensor
    ) -> tuple[Tensor, ...] | None:
        """Token, its log-probability where it was drawn from and in the model, the model's entropy and mean
        log-probability, [B] each; None where a logit is not finite."""
        rows, vocabulary = logits_BV.shape
        wide = torch.empty(-(-vocabulary // LANES) * LANES)
        token, figures = torch.empty(rows, dtype=torch.long), torch.empty(4, rows)
        finite = self._library.choose(
            _size(rows), _size(vocabulary), _at(logits_BV), _at(spin_B), _at(early_B), _at(is_end_V),
            ctypes.c_float(params.temperature), _size(params.top_k), ctypes.c_float(params.top_p),
            ctypes.c_float(params.min_p), _at(wide), _at(token), *map(_at, figures),
        )  # fmt: skip
        return (token, *figures) if finite else None


def addresses(tensors: Sequence[Tensor | None]) -> Weights:
    return (ctypes.c_void_p * len(tensors))(*map(address, tensors))


def address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _at(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(address(tensor))


_size = ctypes.c_long


@functools.cache
def kernels(dtype: torch.dtype) -> Kernels | None:
    compiler, blas, single = shutil.which(os.environ.get("CC", "cc")), _blas(dtype), _blas(torch.float32)
    if compiler is None or single is None or dtype not in DEFINES:
        return None
    try:
        found = Kernels(_compiled(compiler, (*DEFINES[dtype], *_without())), blas, single)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found if found.tiled or found.blas else None


def _amx() -> bool:
    """Whether this processor multiplies tiles of bf16; asks the system to be allowed to."""
    return bool(torch.cpu._is_amx_tile_supported() and torch.cpu._init_amx())


def _without() -> tuple[str, ...]:
    """What the compiler may not use, though the processor has it: the system may not let us."""
    return () if _amx() or platform.machine() != "x86_64" else ("-mno-amx-bf16",)


def _blas(dtype: torch.dtype) -> ctypes.c_void_p | None:
    """The matrix product of the BLAS inside torch: where it has one for this dtype that is fast on this processor."""
    if dtype not in PRODUCTS or (dtype is torch.bfloat16 and not _amx()):
        return None
    try:
        torch_cpu = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        return ctypes.cast(getattr(torch_cpu, PRODUCTS[dtype]), ctypes.c_void_p)
    except (OSError, AttributeError):
        return None


def _compiled(compiler: str, defines: tuple[str, ...]) -> Path:
    """The library, compiled now or found in the cache under the hash of all that decides what it is."""
    command = [compiler, *FLAGS, *defines]
    identity = "\n".join([*command, _processor(), *(source.read_text() for source in SOURCES)])
    target = cache_root() / "kernels" / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.so"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fresh = Path(folder) / target.name
            code = [str(source) for source in SOURCES if source.suffix == ".c"]
            subprocess.run([*command, "-o", str(fresh), *code, "-lm"], check=True, capture_output=True)
            fresh.replace(target)
    return target


def _processor() -> str:
    """What `-march=native` depends on; a cache folder may be shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
