"""`kernels.c` as functions on tensors: compiled for this processor in about a second on first use, then kept.

Where there is no C compiler `kernels` gives None, and decoding goes through torch alone, which is slower.
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
from pathlib import Path

import torch
from torch import Tensor

from autotroph.core.folders import cache_root

SOURCE = Path(__file__).with_name("kernels.c")
FLAGS = ("-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC")
DEFINES = {torch.float32: (), torch.bfloat16: ("-DBF16",)}


class Kernels:
    """The functions of `kernels.c` for one dtype. Tensors must be contiguous and on the CPU."""

    def __init__(self, library: Path):
        self._library = ctypes.CDLL(str(library))
        for name in ("rms_norm", "swiglu", "attend"):
            getattr(self._library, name).restype = None
        self._library.choose.restype = ctypes.c_int

    def rms_norm(self, x_BC: Tensor, delta_BC: Tensor | None, weight_C: Tensor, eps: float) -> Tensor:
        """Adds `delta` to `x` in place, unless it is None; returns weight * x / rms(x)."""
        out = torch.empty_like(x_BC)
        self._library.rms_norm(
            _size(len(x_BC)), _size(x_BC.shape[1]), _at(x_BC), _at(delta_BC), _at(weight_C), ctypes.c_float(eps), _at(out)
        )  # fmt: skip
        return out

    def swiglu(self, gate_up: Tensor) -> Tensor:
        """silu(gate) * up [B, I] of [B, 2 I]."""
        rows, both = gate_up.shape
        out = gate_up.new_empty(rows, both // 2)
        self._library.swiglu(_size(rows), _size(both // 2), _at(gate_up), _at(out))
        return out

    def attend(
        self,
        qkv: Tensor,
        keys_BKDS: Tensor,
        values_BKSD: Tensor,
        held_B: Tensor,
        turns: Tensor | None,
        norms: tuple[Tensor, Tensor] | None,
        eps: float,
    ) -> Tensor:
        """Append one token to each row's cache and attend from it; [B, H D] of [B, (H + 2 K) D].

        `turns` [S, D]: cosines of each position's angles, then their sines. `norms`: weights of the QK-norm.
        """
        rows, (_, groups, size, stride) = len(qkv), keys_BKDS.shape
        heads = qkv.shape[1] // size - 2 * groups
        out = qkv.new_empty(rows, heads * size)
        q_weight, k_weight = norms or (None, None)
        shape = map(_size, (rows, heads, groups, size, stride))
        tensors = map(_at, (qkv, keys_BKDS, values_BKSD, held_B, turns, q_weight, k_weight))
        self._library.attend(*shape, *tensors, ctypes.c_float(eps), _at(out))
        return out

    def choose(
        self, logits_BV: Tensor, spin_B: Tensor, early_B: Tensor, is_end_V: Tensor, temperature: float
    ) -> tuple[Tensor, ...] | None:
        """Token, its log-probability where it was drawn from and in the model, the model's entropy and mean
        log-probability, [B] each; None where a logit is not finite."""
        rows, vocabulary = logits_BV.shape
        wide = torch.empty(-(-vocabulary // 16) * 16)
        token, figures = torch.empty(rows, dtype=torch.long), torch.empty(4, rows)
        finite = self._library.choose(
            _size(rows), _size(vocabulary), _at(logits_BV), _at(spin_B), _at(early_B), _at(is_end_V),
            ctypes.c_float(temperature), _at(wide), _at(token), *map(_at, figures),
        )  # fmt: skip
        return (token, *figures) if finite else None


def _at(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


_size = ctypes.c_long


@functools.cache
def kernels(dtype: torch.dtype) -> Kernels | None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or dtype not in DEFINES:
        return None
    try:
        return Kernels(_compiled(compiler, DEFINES[dtype]))
    except (OSError, subprocess.CalledProcessError):
        return None


def _compiled(compiler: str, defines: tuple[str, ...]) -> Path:
    """The library, compiled now or found in the cache under the hash of all that decides what it is."""
    command = [compiler, *FLAGS, *defines]
    identity = "\n".join([*command, _processor(), SOURCE.read_text()])
    target = cache_root() / "kernels" / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.so"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fresh = Path(folder) / target.name
            subprocess.run([*command, "-o", str(fresh), str(SOURCE), "-lm"], check=True, capture_output=True)
            fresh.replace(target)
    return target


def _processor() -> str:
    """What `-march=native` depends on; a cache folder may be shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
