"""Chat templates: how a published model wants to be spoken to, in Jinja, as its checkpoint brings it along.

A template is text of strangers. It is rendered in Jinja's sandbox, without attributes of Python, files or a clock:
there is no `strftime_now`, for a prompt has to be the same tomorrow. Templates that ask for it have a date to fall back
on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from autotroph.core.errors import AutotrophError

Messages = Sequence[Mapping[str, str]]
"""Each with a `role` (system, user or assistant) and its `content`."""


class Chat:
    """Renders as `transformers` does. `specials`: texts of special tokens by their names, such as `bos_token`."""

    def __init__(self, template: str, specials: Mapping[str, str]):
        """Raises AutotrophError for a template that cannot be read, or refuses a user who begins."""
        self.template, self.specials = template, dict(specials)
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
        )
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _refuse
        try:
            self._compiled = environment.from_string(template)
        except TemplateError as error:
            raise self._mistake(error) from error
        self.turn("?")

    def render(self, messages: Messages, *, reply: bool = True) -> str:
        """The conversation so far, and what opens an assistant's reply where one is to follow."""
        try:
            return self._compiled.render(
                messages=messages, tools=None, documents=None, add_generation_prompt=reply, **self.specials
            )
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise self._mistake(error) from error

    def prompt(self, text: str) -> str:
        """What a user who begins with this text is."""
        return self.render([_said("user", text)])

    def turn(self, text: str) -> str:
        """What comes between the assistant's words and its next ones where a user says this in between."""
        shown = self.render([_said("user", "?"), _said("assistant", MARK), _said("user", text)])
        _, found, after = shown.partition(MARK)
        if not found:
            raise self._mistake("it does not show what the assistant says")
        return after

    def _mistake(self, reason: object) -> AutotrophError:
        line = " ".join(str(reason).split())
        return AutotrophError(f"chat template: {line}; take it out of the checkpoint to prompt the model without one")


MARK = "\ue000"
"""Stands for an assistant's words: a character that no text has, for it is nobody's."""


def _said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _refuse(reason: str) -> None:
    raise TemplateError(reason)


def _tojson(value: Any, **options: Any) -> str:
    """Jinja's own would escape what is special in HTML."""
    return json.dumps(value, **{"ensure_ascii": False, **options})


class Generation(Extension):
    """`{% generation %}`, which marks an assistant's words for training elsewhere: what is inside, as it is."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
