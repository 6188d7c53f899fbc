"""Whether the protected source files are those that the session began with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotroph.store.sources import digest, files, sources

Signature = tuple[int, int, int] | None


class Files:
    """The protected files as they are now, to be compared with later; content is hashed where the file was touched."""

    def __init__(self, config: Mapping[str, Any]):
        self.parts = sources(config)
        self._paths = dict(files(config))
        self._pinned = {name: digest(path) for name, path in self._paths.items()}
        self._seen = {name: _signature(path) for name, path in self._paths.items()}

    def changed(self) -> list[tuple[str, Path]]:
        """(name, path) of every file whose content is no more what it was."""
        found = []
        for name, path in self._paths.items():
            signature = _signature(path)
            if signature != self._seen[name]:
                if digest(path) == self._pinned[name]:
                    self._seen[name] = signature
                else:
                    found.append((name, path))
        return found


def _signature(path: Path) -> Signature:
    """Inode, size, time of change; None where it is gone."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_ctime_ns
