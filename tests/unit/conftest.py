from __future__ import annotations

from collections.abc import Iterator

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import bubblewrap
from autotroph.sandbox.jail import Jail


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    """A real jail of one worker; where there can be none, the test is skipped."""
    try:
        bubblewrap.prove()
    except AutotrophError as error:
        pytest.skip(str(error))
    with Jail(workers=1) as made:
        yield made
