"""Configurations: part of a nested one may be given, unknown keys are refused, flags show what holds."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from autotroph.cli.options import leaves
from autotroph.core.config import Config


class Inner(Config):
    rate: float = Field(1.0, gt=0)
    steps: int = 10


class Middle(Config):
    inner: Inner = Inner()
    width: int = 8


class Outer(Config):
    middle: Middle = Middle(inner=Inner(steps=99), width=16)
    own: Inner | None = None


def test_what_is_given_changes_the_fields_default_and_nothing_else() -> None:
    assert Outer.model_validate({"middle": {"inner": {"rate": 2}}}).middle == Middle(
        inner=Inner(rate=2, steps=99), width=16
    )
    assert Outer.model_validate({}) == Outer()
    assert Outer.model_validate({"middle": Middle()}).middle == Middle()
    assert Outer.model_validate({"own": {"rate": 3}}).own == Inner(rate=3)


@pytest.mark.parametrize(
    "wrong", [{"middle": {"inner": {"stepz": 1}}}, {"midle": {}}, {"middle": {"inner": {"rate": 0}}}]
)
def test_what_is_unknown_or_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate(wrong)


def test_flags_show_the_defaults_that_hold() -> None:
    shown = {path: default for path, _, default in leaves(Outer)}
    assert shown == {
        ("middle", "inner", "rate"): 1.0,
        ("middle", "inner", "steps"): 99,
        ("middle", "width"): 16,
        ("own",): None,
    }


class Weighed(Config):
    weights: dict[str, float] = {"a": 1.0, "b": 2.0}  # noqa: RUF012


class Holder(Config):
    weighed: Weighed = Weighed()


def test_a_mapping_is_given_whole_and_so_comes_back_as_it_was_written_down() -> None:
    given = Holder.model_validate({"weighed": {"weights": {"a": 3.0}}})
    assert given.weighed.weights == {"a": 3.0}
    assert Holder.model_validate(given.model_dump(mode="json")) == given
