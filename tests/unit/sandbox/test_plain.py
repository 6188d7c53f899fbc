"""Plain data comes back as it went in; bytes that are no text of it do no harm."""

from __future__ import annotations

import collections
import contextlib
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.sandbox.inside.plain import ITEMS, Unplain, decode, decode_all, encode

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
    | st.text(st.characters()) | st.binary()
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.sets(scalars) | st.frozensets(scalars)
    | st.dictionaries(scalars, inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(values)
def test_what_goes_in_comes_out(value: object) -> None:
    again = decode(encode(value))
    assert again == value
    assert type(again) is type(value)


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Unplain):
        decode(data)


def test_subclasses_are_written_as_their_base() -> None:
    class Five(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    assert decode(encode(Five(5))) == 5
    assert type(decode(encode(Five(5)))) is int
    assert decode(encode(collections.Counter("aab"))) == {"a": 2, "b": 1}
    assert decode(encode(np.arange(3))) == [0, 1, 2]
    assert math.isnan(decode(encode(float("nan"))))  # type: ignore[arg-type]


def test_a_number_of_a_million_digits_is_read() -> None:
    assert decode(encode(1 << 3_000_000)) == 1 << 3_000_000


@pytest.mark.parametrize(
    "data",
    [
        b"l1:" * 300_000,
        b"l999999999:",
        b"s999999999:x",
        b"s-5:abcdef",
        b"i" + b"f" * 100,
        b"f" + b"9" * 100 + b";",
        b"d1:l0:N",
        b"e%d:" % (ITEMS // 2) + b"".join(b"i%x;" % (n * (2**61 - 1)) for n in range(ITEMS // 2)),
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    ],
    ids=["deep", "long list", "long text", "negative", "cut off", "digits", "list as key", "equal hashes", "pickle"],
)
def test_hostile_bytes_are_refused_at_once(data: bytes) -> None:
    start = time.process_time()
    with pytest.raises(Unplain):
        decode(data)
    assert time.process_time() - start < 1


def test_what_follows_damage_is_not_read() -> None:
    assert decode_all(encode(1) + encode("a") + b"?" + encode(2)) == [1, "a"]


@pytest.mark.parametrize("value", [object(), lambda: 0, [[object()]], {"a": type}])
def test_what_is_no_plain_data_is_refused(value: object) -> None:
    with pytest.raises(Unplain):
        encode(value)


def test_a_nest_too_deep_is_refused() -> None:
    nest: list[object] = []
    for _ in range(200):
        nest = [nest]
    with pytest.raises(Unplain, match="deeper"):
        encode(nest)
