from __future__ import annotations

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import bubblewrap


def pytest_runtest_setup() -> None:
    try:
        bubblewrap.prove()
    except AutotrophError as error:
        pytest.skip(str(error))
