"""Typed edits of a Python program: what is changed becomes another thing of the same kind.

Layout and comments stay (libcst). Every edit leaves a program that compiles; whether it runs is for its evaluation.
These are the operators of genetic improvement of software (surveyed by Petke et al. 2018) and of mutation testing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import libcst as cst

from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.mutate.numerals import numeral, stepped, value
from autotroph.evolve.mutate.python import drawn, programs, same, written
from autotroph.evolve.mutate.sites import Kind, Site, Sites, enclosed, movable, replaced, sites, with_body
from autotroph.evolve.protocols import Edit, Parent, Surroundings

Change = Callable[[Site, Sites, random.Random], cst.Module | None]
"""A program with one site of it changed; None where nothing can be done there."""

OPERATORS: tuple[tuple[type[cst.CSTNode], ...], ...] = (
    (cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power),
    (cst.BitAnd, cst.BitOr, cst.BitXor, cst.LeftShift, cst.RightShift),
    (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual, cst.Equal, cst.NotEqual),
    (cst.And, cst.Or),
    (cst.In, cst.NotIn),
    (cst.Is, cst.IsNot),
    (cst.AddAssign, cst.SubtractAssign, cst.MultiplyAssign, cst.DivideAssign, cst.FloorDivideAssign),
    (cst.BitAndAssign, cst.BitOrAssign, cst.BitXorAssign, cst.LeftShiftAssign, cst.RightShiftAssign),
)
"""Operators that take the same types."""

ORDERS = (cst.LessThan, cst.GreaterThan, cst.LessThanEqual, cst.GreaterThanEqual)


def change_number(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    number = value(site.node)
    return None if number is None else replaced(site, numeral(stepped(number, rng), site.node))


def flip_boolean(site: Site, sites: Sites, rng: random.Random) -> cst.Module:
    assert isinstance(site.node, cst.Name)
    return replaced(site, cst.Name("False" if site.node.value == "True" else "True"))


def change_operator(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    for group in OPERATORS:
        if type(site.node) in group:
            other = rng.choice([one for one in group if one is not type(site.node)])
            spaces = {name: getattr(site.node, name) for name in ("whitespace_before", "whitespace_after")}
            return replaced(site, other(**spaces))
    return None


def delete_statement(site: Site, sites: Sites, rng: random.Random) -> cst.Module:
    body = site.body
    return with_body(site, [*body[: site.index], *body[site.index + 1 :]])


def copy_statement(site: Site, sites: Sites, rng: random.Random) -> cst.Module:
    """Put a statement in a second time, anywhere in its block."""
    body, place = site.body, rng.randrange(len(site.body) + 1)
    return with_body(site, [*body[:place], body[site.index].deep_clone(), *body[place:]])


def swap_statements(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    body = list(site.body)
    others = [i for i, one in enumerate(body) if i != site.index and movable(one)]
    if not others:
        return None
    other = rng.choice(others)
    body[site.index], body[other] = body[other], body[site.index]
    return with_body(site, body)


def guard_statement(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    """Put a statement under an `if`."""
    test, body = condition(site.names, rng), list(site.body)
    if test is None:
        return None
    body[site.index] = cst.If(test, cst.IndentedBlock([body[site.index]]))
    return with_body(site, body)


def change_variable(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    assert isinstance(site.node, cst.Name)
    others = [name for name in site.names if name != site.node.value]
    return replaced(site, site.node.with_changes(value=rng.choice(others))) if others else None


def wrap_expression(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    """Bound an expression by a variable, or let the variable take its place under a condition."""
    node, test = site.node, condition(site.names, rng)
    if test is None:
        return None
    assert isinstance(node, cst.BaseExpression)
    others = [name for name in site.names if not (isinstance(node, cst.Name) and node.value == name)]
    if not others:
        return None
    other = cst.Name(rng.choice(others))
    bounded = [cst.Call(cst.Name(name), [cst.Arg(node), cst.Arg(other)]) for name in ("min", "max")]
    return replaced(site, rng.choice([*bounded, enclosed(cst.IfExp(test, enclosed(node), other))]))


def swap_arguments(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    call = site.node
    assert isinstance(call, cst.Call)
    places = [i for i, arg in enumerate(call.args) if arg.keyword is None and not arg.star]
    if len(places) < 2:
        return None
    (one, other), args = rng.sample(places, 2), list(call.args)
    args[one], args[other] = (
        args[one].with_changes(value=args[other].value),
        args[other].with_changes(value=args[one].value),
    )
    return replaced(site, call.with_changes(args=args))


def call_helper(site: Site, sites: Sites, rng: random.Random) -> cst.Module | None:
    """Send an expression through a function of the file, outside of that function."""
    assert isinstance(site.node, cst.BaseExpression)
    fit = [name for name, count in sites.helpers.items() if name not in site.inside and (count == 1 or site.names)]
    if not fit:
        return None
    name = rng.choice(fit)
    more = [cst.Arg(cst.Name(rng.choice(site.names))) for _ in range(sites.helpers[name] - 1)]
    return replaced(site, cst.Call(cst.Name(name), [cst.Arg(site.node), *more]))


def condition(names: Sequence[str], rng: random.Random) -> cst.BaseExpression | None:
    """A comparison of a variable with another one or with 0; None where there is no variable."""
    if not names:
        return None
    left = rng.choice(names)
    right: cst.BaseExpression = cst.Integer("0")
    if others := [name for name in names if name != left]:
        right = rng.choice((right, cst.Name(rng.choice(others))))
    return cst.Comparison(cst.Name(left), [cst.ComparisonTarget(rng.choice(ORDERS)(), right)])


CHANGES: Mapping[str, tuple[Kind, Change]] = MappingProxyType(
    {
        "number": ("number", change_number),
        "boolean": ("boolean", flip_boolean),
        "operator": ("operator", change_operator),
        "delete": ("statement", delete_statement),
        "copy": ("statement", copy_statement),
        "swap": ("statement", swap_statements),
        "guard": ("statement", guard_statement),
        "variable": ("name", change_variable),
        "wrap": ("expression", wrap_expression),
        "arguments": ("call", swap_arguments),
        "helper": ("expression", call_helper),
    }
)
"""Name -> the kind of site that it changes, and how."""

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "number": 6, "boolean": 1, "operator": 3, "delete": 2, "copy": 1, "swap": 2, "guard": 1, "variable": 3,
        "wrap": 2, "arguments": 1, "helper": 1,
    }
)  # fmt: skip
"""How often each is drawn, relative to the others that a program has a site for."""


@dataclass(frozen=True)
class Syntax:
    """Edits one file of the parent, a long one more often. `more`: chance of a further edit after each, so that their
    number is geometric, at most `most`. `tries`: programs that do not compile, or are the parent's, before it gives up.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    more: float = 0.3
    most: int = 8
    tries: int = 10
    name: str = "syntax"
    parents: int = 1

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        candidate, rng = parents[0].candidate, around.rng
        file = drawn(candidate, programs(candidate), rng)
        before = candidate.text(file)
        program = sites(before)
        for _ in range(self.tries):
            try:
                changed, done = self._edited(program, rng)
                text = written(changed)
            except (NoEdit, RecursionError):
                continue
            if not same(text, before):
                return Edit(candidate.edited({file: text}), f"{file}: {', '.join(done)}")
        raise NoEdit(f"no edit of '{file}' in {self.tries} tries", "no edit found")

    def _edited(self, sites: Sites, rng: random.Random) -> tuple[cst.Module, list[str]]:
        program, name = self._once(sites, rng)
        done = [name]
        while len(done) < self.most and rng.random() < self.more:
            program, name = self._once(Sites(program), rng)
            done.append(name)
        return program, done

    def _once(self, sites: Sites, rng: random.Random) -> tuple[cst.Module, str]:
        names = [name for name in self.weights if sites.found[CHANGES[name][0]]]
        if not sum(self.weights[name] for name in names):
            raise NoEdit("nothing to edit")
        name = rng.choices(names, [self.weights[name] for name in names])[0]
        kind, change = CHANGES[name]
        changed = change(rng.choice(sites.found[kind]), sites, rng)
        if changed is None:
            raise NoEdit(f"no {name} here")
        return changed, name


MUTATOR = Syntax
