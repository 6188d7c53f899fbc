"""Monitors: the limits of a cycle's figures, and what may happen beyond them.

`Monitors` holds the limits and the declared responses, the only ways in which a monitor can act: `warn` is shown and
recorded, `warmer`, `cooler` and `more real` turn a knob for the cycles to come, `hold` keeps a candidate from being
promoted, `stop` ends the run after the cycle. Figures that rest on gold labels may only warn, for nothing that knows
them may steer a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from pydantic import Field, model_validator

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.store.record import Alarm, Change, Response

GOLD = ("proxy_gap", "unique_correct", "given_noise")
"""Figures that rest on gold labels."""

KNOBS: Mapping[Response, tuple[str, Callable[[float], float]]] = MappingProxyType(
    {
        "warmer": ("temperature", lambda old: min(2.0, old * 1.25)),
        "cooler": ("temperature", lambda old: max(0.1, old / 1.25)),
        "more real": ("real_floor", lambda old: min(0.9, old + 0.1)),
    }
)
"""Response -> the knob that it turns, and the new value from the old one. `temperature`: of the sampled tries.
`real_floor`: least share of real rows in what is trained on."""


class Limit(Config):
    """A monitor: the range in which its figure is silent, and the response outside of it."""

    low: float | None = Field(default=None, description="alarm below this; none: never")
    high: float | None = Field(default=None, description="alarm above this; none: never")
    response: Response = Field(
        default="warn", description="to an alarm: show it, turn a knob, hold the candidate, stop the run"
    )

    def crossed(self, value: float) -> float | None:
        """The bound beyond which the value lies, None where it is silent; NaN is beyond any."""
        if self.low is not None and not value >= self.low:
            return self.low
        return self.high if self.high is not None and not value <= self.high else None


class Monitors(Config):
    """Limits by figure. A figure that a cycle does not have raises no alarm; one without limits is only recorded."""

    tasks: int = Field(
        default=64,
        ge=0,
        description="dev tasks, and pairs for a judge, that probes ask about; 0: no probes",
    )
    entropy: Limit = Limit()
    sampled_entropy: Limit = Limit()
    distinct_2: Limit = Limit()
    self_bleu: Limit = Limit()
    vendi_ngram: Limit = Limit(low=2.0)
    vendi_histogram: Limit = Limit()
    zero_advantage: Limit = Limit(high=0.95)
    label_noise: Limit = Limit()
    given_noise: Limit = Limit(high=0.25)
    length_drift: Limit = Limit(low=-0.7, high=0.7)
    kl_base: Limit = Limit()
    sampler_drift: Limit = Limit(high=0.05)
    self_made_share: Limit = Limit(high=0.96)
    depth: Limit = Limit()
    contamination: Limit = Limit(high=0.0)
    saturation: Limit = Limit(high=0.98)
    ceiling: Limit = Limit()
    discriminating: Limit = Limit()
    judge_consistency: Limit = Limit(low=0.8)
    judge_preference: Limit = Limit()
    proxy_gap: Limit = Limit(high=0.2)
    unique_correct: Limit = Limit()

    @model_validator(mode="after")
    def _gold_only_warns(self) -> Monitors:
        for name in GOLD:
            if getattr(self, name).response != "warn":
                raise ValueError(
                    f"{name} rests on gold labels, which may not steer a run; its response can only be warn"
                )
        return self

    def limits(self) -> Iterator[tuple[str, Limit]]:
        for name in type(self).model_fields:
            limit = getattr(self, name)
            if isinstance(limit, Limit):
                yield name, limit

    def check(self, knobs: Mapping[str, float]) -> None:
        """Raises AutotrophError where a response is declared that would turn a knob which the recipe lacks."""
        for name, limit in self.limits():
            knob, _ = KNOBS.get(limit.response, (None, None))
            if knob is not None and knob not in knobs:
                raise AutotrophError(
                    f"monitor {name}: response '{limit.response}' turns {knob}, which this recipe does not have; "
                    f"it has {', '.join(knobs) or 'no knobs'}"
                )

    def alarms(self, metrics: Mapping[str, float], knobs: Mapping[str, float]) -> tuple[Alarm, ...]:
        """Every figure outside of its limits, with what its response makes of the knobs, one after the other."""
        values, found = dict(knobs), []
        for name, limit in self.limits():
            value = metrics.get(name)
            crossed = None if value is None else limit.crossed(value)
            if value is None or crossed is None:
                continue
            change = None
            if limit.response in KNOBS:
                knob, after = KNOBS[limit.response]
                change = Change(knob=knob, old=values[knob], new=after(values[knob]))
                values[knob] = change.new
            found.append(Alarm(monitor=name, value=value, limit=crossed, response=limit.response, change=change))
        return tuple(found)


def turned(knobs: Mapping[str, float], alarms: tuple[Alarm, ...]) -> dict[str, float]:
    """The knobs after the alarms."""
    return {**knobs, **{alarm.change.knob: alarm.change.new for alarm in alarms if alarm.change is not None}}
