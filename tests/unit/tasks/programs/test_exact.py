"""Arithmetic without rounding, against sums by hand and against numpy where that is exact."""

from __future__ import annotations

import math
import random

import numpy as np

from autotroph.tasks.programs.exact import convolution, ratio, scaled, steps, twice_area, twice_hull_area


def test_floats_are_integers_times_a_power_of_two() -> None:
    assert scaled([0.5, 3.0, -0.75, 0.0]) == ([2, 12, -3, 0], 2)
    numbers, k = scaled([0.1, 5e-324])
    assert numbers[0] / (1 << k) == 0.1
    assert (numbers[1], k) == (1, 1074)


def test_a_convolution_of_either_sign() -> None:
    assert convolution([1, -2], [3, 4, -5]) == [3, -2, -13, 10]
    assert convolution([0], [0, 0]) == [0, 0]
    rng = random.Random(0)
    for _ in range(50):
        a, b = ([rng.randint(-99, 99) for _ in range(rng.randint(1, 9))] for _ in range(2))
        assert convolution(a, b) == np.convolve(a, b).tolist()


def test_steps_keep_sixty_bits_of_the_largest() -> None:
    assert steps([1.0, 0.5]) == [1 << 59, 1 << 58]
    assert steps([3.0, 5e-324, 0.0]) == [3 << 58, 0, 0]
    assert steps([5e-324]) == [1 << 59]
    assert steps([]) == []


def test_areas() -> None:
    assert twice_area((0, 0), (2, 0), (0, 3)) == 6
    assert twice_area((0, 0), (0, 3), (2, 0)) == -6
    assert twice_hull_area([(0, 0), (2, 0), (2, 2), (0, 2), (1, 1), (1, 0)]) == 8
    assert twice_hull_area([(0, 0), (1, 1), (3, 3)]) == 0


def test_a_ratio_is_rounded_once() -> None:
    assert ratio(1, 3) == 1 / 3
    assert ratio(10**400, 10**399) == 10.0
    assert ratio(10**400, 1) == math.inf
