"""What a claim came to, in a terminal: it has to be readable with as many seeds as there are."""

from dataclasses import asdict

from rich.console import Console

from autotroph.evaluate.claim import Claim, Trial, compare
from autotroph.report.claims import claim_table


def found(seeds: int) -> dict[str, object]:
    def side(value: float) -> list[Trial]:
        return [Trial(value + seed, {"flops": 2e9}) for seed in range(seeds)]

    def never(seed: int, compute: object) -> Trial:
        raise AssertionError("nothing is tried here")

    claim = Claim("more is more", "2%", "points", never, never, never, "less", "any", first=10)
    ours, baseline, control = side(20), side(10.5), side(10)
    return {
        "recipe": "more",
        "says": claim.says,
        "measure": claim.measure,
        "against": claim.against,
        "without": claim.without,
        "counter": claim.counter,
        "first": claim.first,
        "verdict": "holds",
        "comparison": asdict(compare(claim, ours, baseline)),
        "control": asdict(compare(claim, control, baseline)),
        "trials": {
            name: [asdict(one) for one in own]
            for name, own in (("ours", ours), ("baseline", baseline), ("control", control))
        },
    }


def test_forty_seeds_stand_below_one_another_in_eighty_columns() -> None:
    console = Console(width=80, record=True, quiet=False)
    with console.capture() as shown:
        console.print(claim_table(found(40)))
    lines = shown.get().splitlines()
    (last,) = [line for line in lines if "seed 49" in line]
    assert [cell.strip() for cell in last.strip("│").split("│")] == ["seed 49", "59", "49.5", "49"]
    assert "seed 9 " not in shown.get()
    assert any(line.strip("│ ").startswith("mean") and "39.5" in line for line in lines)
    assert "holds: +9.5 (9.5 to 9.5) points" in shown.get()
    assert "the control does not hold: -0.5" in " ".join(shown.get().split())
