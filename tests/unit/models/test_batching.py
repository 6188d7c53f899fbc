"""Batches of similar lengths."""

from hypothesis import given
from hypothesis import strategies as st

from autotroph.models.batching import alike


@given(st.lists(st.integers(1, 200), max_size=60), st.integers(1, 9), st.integers(1, 500), st.floats(1.0, 3.0))
def test_every_sequence_is_in_one_batch_and_no_batch_is_too_large(
    lengths: list[int], rows: int, tokens: int, stretch: float
) -> None:
    batches = alike(lengths, rows, tokens, stretch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest, shortest = max(lengths[i] for i in batch), min(lengths[i] for i in batch)
        assert len(batch) <= rows
        assert len(batch) == 1 or len(batch) * longest <= tokens
        assert longest <= stretch * shortest


def test_equal_lengths_fill_batches_in_order() -> None:
    assert alike([7] * 5, rows=2, tokens=100, stretch=1.0) == [[0, 1], [2, 3], [4]]
    assert alike([9, 3, 9, 3], rows=9, tokens=100, stretch=2.0) == [[1, 3], [0, 2]]
