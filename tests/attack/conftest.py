from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from scene import Scene


@pytest.fixture
def scene() -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        yield Scene(stack)
