"""The subset of Python in which small models answer: one expression over the list of integers `a`.

`parse` decides by the syntax tree, before anything runs, what belongs to it. `evaluate` is a second, independent
executor: it walks the tree, knows nothing but the subset, and never calls Python's own `eval`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 160
"""Characters of the longest answer that is read."""
LARGEST = 99
"""Largest constant."""
STRANGE = re.compile(r"[^a-z0-9\[\](),:<>=!+\-*/% ]|[0-9][a-z]|^ ")
"""What no text of the subset holds. A number that runs into a word is legal Python for now, and warned about."""
ARGUMENT, ELEMENT = "a", "x"

CALLS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function for function in (sorted, sum, max, min, len, set, list)
}
OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: operator.neg,
}
SHAPES = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Store, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call),
    *(ast.List, ast.Starred, ast.ListComp, ast.comprehension, ast.Subscript, ast.Slice, *OPERATORS),
)


def parse(text: str, names: tuple[str, ...] = ()) -> ast.Expression | None:
    """The syntax tree of an expression of the subset; None for any other text. `names`: further functions to call."""
    if len(text) > LONGEST or STRANGE.search(text):
        return None
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return tree if all(_allowed(node, {*CALLS, *names}) for node in ast.walk(tree)) else None


def _allowed(node: ast.AST, functions: set[str]) -> bool:
    match node:
        case ast.Constant():
            return type(node.value) is int and node.value <= LARGEST
        case ast.Name():
            return node.id == ELEMENT or (isinstance(node.ctx, ast.Load) and node.id in functions | {ARGUMENT})
        case ast.Call():
            named = isinstance(node.func, ast.Name) and node.func.id in functions
            return named and not node.keywords and not any(isinstance(one, ast.Starred) for one in node.args)
        case ast.comprehension():
            return isinstance(node.target, ast.Name) and not node.is_async
        case _:
            return isinstance(node, SHAPES)


MOST = 1000
"""Elements of the longest list that `evaluate` makes."""


def evaluate(tree: ast.Expression, a: list[int], names: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The value of an expression of the subset. Raises what Python would raise, and ValueError for what grows large."""
    return _value(tree.body, {**CALLS, **(names or {}), ARGUMENT: list(a)})


def _value(node: ast.AST, scope: Mapping[str, Any]) -> Any:
    def of(child: ast.AST) -> Any:
        return _value(child, scope)

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return scope[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _small(OPERATORS[type(op)](*_repeatable(of(left), of(right))))
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](of(operand))
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [of(left), *map(of, others)]
            return all(OPERATORS[type(op)](*sides[i : i + 2]) for i, op in enumerate(ops))
        case ast.Call(func=function, args=args):
            return _small(of(function)(*map(of, args)))
        case ast.List(elts=elements):
            return _small([one for child in elements for one in _elements(child, scope)])
        case ast.ListComp(elt=element, generators=loops):
            return _small([_value(element, inner) for inner in _loop(loops, scope)])
        case ast.Subscript(value=value, slice=ast.Slice() as cut):
            return of(value)[slice(*(part and of(part) for part in (cut.lower, cut.upper, cut.step)))]
        case ast.Subscript(value=value, slice=index):
            return of(value)[of(index)]
    raise ValueError(f"{type(node).__name__} is not of the subset")


def _elements(node: ast.AST, scope: Mapping[str, Any]) -> list[Any]:
    return list(_value(node.value, scope)) if isinstance(node, ast.Starred) else [_value(node, scope)]


def _loop(loops: list[ast.comprehension], scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The scope of every turn of the loops, the last one innermost."""
    turns = [dict(scope)]
    for loop in loops:
        assert isinstance(loop.target, ast.Name)
        name = loop.target.id
        every = [{**turn, name: one} for turn in turns for one in _value(loop.iter, turn)]
        turns = _small([turn for turn in every if all(_value(test, turn) for test in loop.ifs)])
    return turns


def _repeatable(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides as they are. Raises ValueError where a list would be repeated into a large one."""
    for many, times in ((left, right), (right, left)):
        if isinstance(many, list) and isinstance(times, int) and len(many) * times > MOST:
            raise ValueError("too many elements")
    return left, right


def _small(value: Any) -> Any:
    """The value as it is. Raises ValueError for a list of more than `MOST` elements or a number of over 60 digits."""
    if isinstance(value, list | set) and len(value) > MOST:
        raise ValueError("too many elements")
    if isinstance(value, int) and abs(value) >= 10**60:
        raise ValueError("too large a number")
    return value
