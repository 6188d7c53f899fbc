from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from scene import Scene

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import bubblewrap


def pytest_runtest_setup() -> None:
    try:
        bubblewrap.prove()
    except AutotrophError as error:
        pytest.skip(str(error))


@pytest.fixture
def scene() -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        yield Scene(stack)
