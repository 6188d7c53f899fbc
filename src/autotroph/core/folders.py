"""Where things live that outlast a run."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """`$AUTOTROPH_CACHE`, else `autotroph` in the user's cache directory."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AUTOTROPH_CACHE") or Path(home) / "autotroph")
