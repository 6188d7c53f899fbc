"""Models by name: a local folder, or an id of the Hugging Face hub, whose files are fetched once and kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autotroph.core.errors import AutotrophError
from autotroph.models import checkpoint
from autotroph.models.tokenizer import DESCRIPTIONS, TEMPLATE, TextTokenizer
from autotroph.models.transformer import Transformer

FILES = [
    *("tokenizer.json", *DESCRIPTIONS, TEMPLATE),
    *("model.safetensors", "model.safetensors.index.json", "model-*.safetensors"),
]
"""What is fetched: never code, never pickled weights."""


def load(source: str | Path, revision: str | None = None) -> tuple[Transformer, TextTokenizer]:
    """A model of the Llama, Qwen2 or Qwen3 family in fp32, with its tokenizer; arguments and errors as of `fetched`,
    errors of `checkpoint.load` besides."""
    return checkpoint.load(fetched(source, revision))


def fetched(
    source: str | Path,
    revision: str | None = None,
    kind: Literal["model", "dataset"] = "model",
    files: Sequence[str] = FILES,
) -> Path:
    """The folder that `source` is, or the one in which such files of the hub id `org/name` now lie.

    `revision`: a branch, tag or commit of the hub; a commit is always the same files. Raises AutotrophError for what
    is neither, without `huggingface_hub`, and where the hub does not give the files.
    """
    if Path(source).is_dir():
        return Path(source)
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(source)):
        raise AutotrophError(f"{kind} {str(source)!r}: no such folder; give a {kind} folder or a hub id 'org/name'")
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise AutotrophError(
            f"{kind} '{source}': no such folder, and hub ids need huggingface_hub; pip install 'autotroph[hub]'"
        ) from None
    try:
        return Path(snapshot_download(str(source), repo_type=kind, revision=revision, allow_patterns=list(files)))
    except (OSError, ValueError) as error:  # of the connection, of the hub's answer, of a malformed id
        reason = str(error).strip().splitlines()[0]
        raise AutotrophError(
            f"{kind} '{source}': no such folder, and the hub does not give it ({type(error).__name__}: {reason}); "
            "check the id and the connection, or give a local folder"
        ) from error
