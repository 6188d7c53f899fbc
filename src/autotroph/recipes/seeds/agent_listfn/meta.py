"""The meta agent: makes the next agent from this one. It is a file of the agent, and edits itself like the others."""

import ast
import random
import re

EDITS = 1
ADDED = 0.6
SELF = 0.3

PIECES = [
    "A[#:]",
    "A[:#]",
    "A[:-#]",
    "A[-#:]",
    "A[::2]",
    "A[1::2]",
    "A[::-1]",
    "A[0]",
    "A[-1]",
    "[*A,#]",
    "[#,*A]",
    "sorted(A)",
    "sorted(set(A))",
    "sum(A)",
    "len(A)",
    "max(A)",
    "min(A)",
]
PIECES += ["[x+# for x in A]", "[x*# for x in A]", "[x for x in A if x>#]", "[x for x in A if x<#]"]
PIECES += ["[x for x in A if x%2==0]", "[x for x in A if x%2==1]"]


def edit(files, outcomes, feedback, seed):
    """Other operations to try; now and then another number in this file."""
    rng = random.Random(seed)
    operations = ast.literal_eval(files["operations.py"].split("=", 1)[1].strip())
    for _ in range(EDITS):
        if rng.random() < ADDED or not operations:
            operations.append(rng.choice(PIECES).replace("#", str(rng.randrange(10))))
        else:
            operations.pop(rng.randrange(len(operations)))
    changed = {"operations.py": f"OPERATIONS = {list(dict.fromkeys(operations))!r}\n"}
    if rng.random() < SELF:
        changed["meta.py"] = with_another_number(files["meta.py"], rng)
    return changed


def with_another_number(source, rng):
    """How many edits a child gets, or how likely each of their kinds is."""
    name = rng.choice(["EDITS", "EDITS", "ADDED", "SELF"])
    old = float(re.search(rf"^{name} = (.*)$", source, re.M)[1])
    new = (
        max(1, round(old * rng.choice([0.5, 2, 3])))
        if name == "EDITS"
        else min(0.95, max(0.05, old + rng.gauss(0, 0.2)))
    )
    return re.sub(rf"^{name} = .*$", f"{name} = {new}", source, count=1, flags=re.M)
