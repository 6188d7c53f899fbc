"""Where a Python program can be edited, with the names that may be used there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from typing import Literal, get_args

import libcst as cst

from autotroph.evolve.mutate.python import concrete

Kind = Literal["number", "boolean", "operator", "statement", "name", "expression", "call", "function"]

VALUES = (cst.Name, cst.Integer, cst.Float, cst.BinaryOperation, cst.Call, cst.Subscript, cst.Attribute)
"""Expressions that stand for a value which another may take the place of."""

LITERALS = ("None", "True", "False")

FIXED = (cst.FunctionDef, cst.ClassDef)
"""Statements that stay where they are: without them little of the rest means anything."""

Block = cst.Module | cst.IndentedBlock

LAYOUT = frozenset(
    {
        cst.SimpleWhitespace, cst.ParenthesizedWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline,
        cst.Comma, cst.Colon, cst.Semicolon, cst.Dot, cst.AssignEqual, cst.LeftParen, cst.RightParen,
        cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftCurlyBrace, cst.RightCurlyBrace,
    }
)  # fmt: skip
"""Nodes with nothing in them to edit."""


KEPT, LONG = 32, 20_000
"""Programs whose sites are kept, and characters beyond which one is not: its tree takes 160 bytes for each of them."""


@dataclass(frozen=True, eq=False)
class Site:
    """A part of a program. `path`: from the program down to the part, for a statement to the block that it is in, at
    `index`. `names`: variables that are bound before it. `inside`: functions and classes around it, outermost first."""

    kind: Kind
    path: tuple[cst.CSTNode, ...]
    names: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    index: int = 0

    @property
    def node(self) -> cst.CSTNode:
        return self.path[-1]

    @property
    def body(self) -> Sequence[cst.BaseStatement]:
        """Of the block of a statement."""
        assert isinstance(self.node, cst.Module | cst.IndentedBlock)
        return self.node.body


@dataclass(eq=False)
class Sites:
    """All of a program: kind -> its sites, in their order. `helpers`: functions of the file that take positional
    arguments alone -> how many.

    Left out are annotations, decorators, imports, what is assigned to, patterns, and what is inside f-strings, whose
    quotes an edit could break.
    """

    program: cst.Module
    found: dict[str, list[Site]] = field(default_factory=lambda: {kind: [] for kind in get_args(Kind)})
    helpers: dict[str, int] = field(default_factory=dict)
    _scopes: list[dict[str, None]] = field(default_factory=lambda: [{}])
    _path: list[cst.CSTNode] = field(default_factory=list)
    _inside: tuple[str, ...] = ()
    _names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        self._walk(self.program)

    def _walk(self, node: cst.CSTNode) -> None:
        """As a visitor of libcst, which would make every node anew on its way."""
        if type(node) in LAYOUT:
            return
        self._path.append(node)
        if self._entered(node):
            for part in _parts(node):
                self._walk(part)
        self._path.pop()

    def _entered(self, node: cst.CSTNode) -> bool:
        """Whether to go on with its parts."""
        if isinstance(node, cst.BaseExpression):
            return self._expression(node)
        if isinstance(node, cst.Module | cst.IndentedBlock):
            self._block(node)
        elif isinstance(node, cst.BaseBinaryOp | cst.BaseCompOp | cst.BaseBooleanOp | cst.BaseAugOp):
            self._add("operator")
            return False
        elif isinstance(node, SKIPPED):
            return False
        else:
            return self._binding(node)
        return True

    def _add(self, kind: Kind, index: int = 0) -> None:
        if self._names is None:
            self._names = tuple(sorted({name for scope in self._scopes for name in scope}))
        self.found[kind].append(Site(kind, tuple(self._path), self._names, self._inside, index))

    def _bind(self, node: cst.CSTNode | None) -> None:
        """The names in what is assigned to."""
        match node:
            case cst.Name(value=name):
                self._scopes[-1][name] = None
                self._names = None
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for element in elements:
                    self._bind(element.value)

    def _visit(self, *nodes: cst.CSTNode | None) -> Literal[False]:
        for node in nodes:
            if node is not None:
                self._walk(node)
        return False

    def _block(self, block: Block) -> None:
        for index, statement in enumerate(block.body):
            if movable(statement):
                self._add("statement", index)

    def _expression(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Name) and node.value in LITERALS:
            if node.value != "None":
                self._add("boolean")
            return False
        if isinstance(node, VALUES):
            self._add("expression")
        match node:
            case cst.Name():
                self._add("name")
            case cst.Integer() | cst.Float():
                self._add("number")
            case cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer() | cst.Float()):
                self._add("number")
                return False
            case cst.FormattedString() | cst.ConcatenatedString():
                return False
            case cst.Attribute(value=value):
                return self._visit(value)
            case cst.NamedExpr(target=target, value=value):
                self._visit(value)
                self._bind(target)
                return False
            case cst.Lambda(params=params, body=body):
                with self._scope():
                    return self._visit(params, body)
            case cst.Call(func=func, args=args):
                self._add("call")
                return self._visit(None if isinstance(func, cst.Name) else func, *args)
        return True

    def _binding(self, node: cst.CSTNode) -> bool:
        """Statements and clauses that give names to things, and parts that hold a name which is no variable."""
        match node:
            case cst.FunctionDef():
                return self._function(node)
            case cst.ClassDef(name=name, body=body):
                with self._within(name.value):
                    return self._visit(body)
            case cst.Assign(targets=targets, value=value):
                self._visit(value)
                for target in targets:
                    self._bind(target.target)
                return False
            case cst.AugAssign(operator=operator, value=value):
                return self._visit(operator, value)
            case cst.AnnAssign(target=target, value=value):
                self._visit(value)
                self._bind(target)
                return False
            case cst.For(target=target, iter=source, body=body, orelse=orelse):
                self._visit(source)
                self._bind(target)
                return self._visit(body, orelse)
            case cst.CompFor(target=target, iter=source, ifs=ifs, inner_for_in=inner):
                self._visit(source)
                self._bind(target)
                return self._visit(*ifs, inner)
            case cst.WithItem(item=item, asname=asname):
                self._visit(item)
                self._bind(asname.name if asname else None)
                return False
            case cst.Param(name=target, default=default):
                self._visit(default)
                self._bind(target)
                return False
            case cst.Arg(value=value):
                return self._visit(value)
            case cst.ExceptHandler(body=body) | cst.MatchCase(body=body):
                return self._visit(body)
        return True

    def _function(self, node: cst.FunctionDef) -> Literal[False]:
        name = node.name.value
        if not self._inside and (count := _positional(node.params)):
            self.helpers[name] = count
        with self._within(name):
            self.found["function"].append(Site("function", tuple(self._path), inside=self._inside))
            with self._scope():
                return self._visit(node.params, node.body)

    @contextmanager
    def _within(self, name: str) -> Iterator[None]:
        outside, self._inside = self._inside, (*self._inside, name)
        yield
        self._inside = outside

    @contextmanager
    def _scope(self) -> Iterator[None]:
        self._scopes.append({})
        self._names = None
        yield
        self._scopes.pop()
        self._names = None


SKIPPED = (
    cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.Global, cst.Nonlocal, cst.Del, cst.MatchPattern,
)  # fmt: skip


ORDERS: Mapping[type[cst.CSTNode], tuple[str, ...]] = {
    cst.IfExp: ("body", "test", "orelse"),
    cst.Parameters: ("posonly_params", "params", "star_arg", "kwonly_params", "star_kwarg"),
    cst.Try: ("body", "handlers", "orelse", "finalbody"),
    cst.TryStar: ("body", "handlers", "orelse", "finalbody"),
}
"""Of nodes whose fields have another order than their text."""


@cache
def _places(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Fields of a kind of node, in the order of the text."""
    return ORDERS.get(kind) or tuple(one.name for one in fields(kind))


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes right below a node."""
    for name in _places(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            yield from (one for one in value if isinstance(one, cst.CSTNode))


def movable(statement: cst.CSTNode) -> bool:
    """Whether a statement can be deleted, copied, swapped and wrapped: no definition, import or docstring."""
    if isinstance(statement, cst.SimpleStatementLine):
        first = statement.body[0]
        return not (
            isinstance(first, cst.Import | cst.ImportFrom | cst.Global | cst.Nonlocal)
            or (isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString))
        )
    return not isinstance(statement, FIXED)


def _positional(params: cst.Parameters) -> int:
    """How many arguments a function needs; 0 where it needs any by name."""
    if any(param.default is None for param in params.kwonly_params):
        return 0
    return sum(param.default is None for param in (*params.posonly_params, *params.params))


def sites(text: str) -> Sites:
    """Those of a program as it is written, which nobody may change; the last few are kept, for a good parent is edited
    again and again. Raises NoEdit as `concrete` does."""
    return Sites(concrete(text)) if len(text) > LONG else _kept(text)


@lru_cache(KEPT)
def _kept(text: str) -> Sites:
    return Sites(concrete(text))


def replaced(site: Site, new: cst.CSTNode) -> cst.Module:
    """The program with another node in the place of the site's. Only what is above it is made anew."""
    for parent, old in zip(reversed(site.path[:-1]), reversed(site.path[1:]), strict=True):
        new = parent.with_changes(**_held(parent, old, new))
    assert isinstance(new, cst.Module)
    return new


def _held(parent: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode) -> dict[str, object]:
    """The field of a node that holds another one, with a new one there."""
    for one in fields(parent):
        value = getattr(parent, one.name)
        if value is old:
            return {one.name: new}
        if isinstance(value, list | tuple) and any(item is old for item in value):
            return {one.name: [new if item is old else item for item in value]}
    raise LookupError(f"{type(old).__name__} is not in {type(parent).__name__}")


def with_body(site: Site, body: Sequence[cst.CSTNode]) -> cst.Module:
    """The program with other statements in a statement's block; `pass` where there would be none."""
    return replaced(site, site.node.with_changes(body=body or [cst.SimpleStatementLine([cst.Pass()])]))


def enclosed(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression that means the same wherever it is put: in parentheses, unless it needs none."""
    if node.lpar or not isinstance(
        node, cst.BinaryOperation | cst.BooleanOperation | cst.Comparison | cst.UnaryOperation | cst.IfExp | cst.Lambda
    ):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
