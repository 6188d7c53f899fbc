"""Numbers of a program as they are written: read, changed a little, written again."""

from __future__ import annotations

import math
import random

import libcst as cst

DIGITS = 30
"""Characters of a numeral beyond which it is left alone; any float is written in fewer."""

SCALES = (0.03, 0.3, 1.0)
"""Standard deviations, in the logarithm, of small, middling and large changes."""


def value(node: cst.CSTNode) -> int | float | None:
    """With its sign; None for what is no numeral, and for one that is left alone."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        number = value(node.expression)
        return None if number is None else -number
    if isinstance(node, cst.Integer | cst.Float) and len(node.value) <= DIGITS:
        return node.evaluated_value
    return None


def numeral(number: int | float, old: cst.CSTNode) -> cst.BaseExpression:
    """A number as an expression in the place of an old one. A minus sign that was not there gets parentheses, so that
    it means the same everywhere."""
    plain = cst.Integer(str(abs(number))) if isinstance(number, int) else cst.Float(repr(abs(number)))
    if math.copysign(1.0, number) > 0:
        return plain
    if isinstance(old, cst.UnaryOperation):
        return old.with_changes(expression=plain)
    return cst.UnaryOperation(cst.Minus(), plain, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def stepped(number: int | float, rng: random.Random) -> int | float:
    """Another number of the same type: a step of one, scaled up or down, or with the other sign."""
    if isinstance(number, int):
        scaled = round(number * math.exp(rng.gauss(0.0, rng.choice(SCALES))))
        return rng.choice((number + 1, number - 1, number + 1, number - 1, 2 * number, number // 2, scaled, -number))
    near = number * math.exp(rng.gauss(0.0, rng.choice(SCALES))) if number else rng.gauss(0.0, rng.choice(SCALES))
    found = rng.choices((near, number + rng.choice((1.0, -1.0)), -number), (8, 1, 1))[0]
    return found if math.isfinite(found) else number / 2
