"""What a person decides about a run, as events of its ledger that hold for one place in one ledger and no other.

Each such event says how many events were before it, the Merkle root over them, and the inode of the ledger that it was
written to. So it is of no use anywhere else: not later in the same run, not in another run, not in a copy of the
folder. A decision on a candidate also names the pending event and the candidate's content, which is hashed when the
decision is made and again when it is used.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError

from autotroph.core.budget import Budget
from autotroph.core.errors import ApprovalNeeded, AutotrophError, RedLine
from autotroph.oversight.artifacts import Content, named_in
from autotroph.oversight.proposal import Proposal
from autotroph.store import merkle
from autotroph.store.ledger import Event, Ledger
from autotroph.store.run import Run
from autotroph.store.sources import sources

Answer = Literal["approve", "reject"]

DECISIONS = ("answer", "budget", "code", "unlock")
"""Kinds of events that are a person's decisions."""


def sign(run: Run, kind: str, data: dict[str, Any]) -> Event:
    """Append a person's decision, bound to this place in this ledger."""
    ledger = run.ledger
    place = {"size": len(ledger), "root": ledger.root(), "ledger": ledger.path.stat().st_ino}
    return run.ledger.append(kind, {**data, "place": place})


def misplaced(event: Event, root: str) -> str | None:
    """Why a decision was not made where it stands; None where it was. `root`: over the events before it."""
    place = event.data.get("place", {})
    if place.get("size") != event.seq:
        return f"it was given after {place.get('size')} events, and stands after {event.seq}"
    return None if place.get("root") == root else "it was given on another history"


def check_places(run: Run) -> None:
    """Raises RedLine for a decision that was carried to where it stands."""
    tree = merkle.Frontier()
    for stored in run.ledger.stored():
        if stored.kind.decode() in DECISIONS and (problem := misplaced(stored.event(), tree.root().hex())):
            raise RedLine("approval", f"event {stored.seq}, '{stored.kind.decode()}': {problem}", [run.ledger.path])
        tree.append(stored.leaf)


def check_here(run: Run, event: Event) -> None:
    """Raises AutotrophError for a decision that was made in another folder, of which this one is a copy."""
    if not here(run, [event]):
        raise AutotrophError(
            f"run {run.folder}: event {event.seq}, '{event.kind}', was given to another copy of it; give it again"
        )


def pend(run: Run, proposal: Proposal, meter: dict[str, float]) -> Event:
    """Write down what awaits a person."""
    return run.ledger.append("pending", {"proposal": proposal.as_json(), "meter": meter})


def pending(ledger: Ledger) -> Event | None:
    """The proposal that no cycle has followed yet."""
    found, last = ledger.last("pending"), ledger.last("cycle")
    return None if found is None or (last is not None and last.seq > found.seq) else found


def answers(ledger: Ledger, asked: Event) -> list[Event]:
    """All that claim to decide on a pending event."""
    return [event for event in ledger.events("answer") if event.seq > asked.seq]


def here(run: Run, decisions: list[Event]) -> list[Event]:
    """Those that were given to this very ledger, not to a copy of it."""
    inode = run.ledger.path.stat().st_ino
    return [event for event in decisions if event.data["place"].get("ledger") == inode]


def mismatch(answer: Event, asked: Event) -> str | None:
    """Why a decision is not about that pending event; None where it is."""
    proposal = asked.data["proposal"]
    due = {"pending": asked.hash, "cycle": proposal["record"]["cycle"], "candidate": proposal["candidate"]["id"]}
    for name, value in due.items():
        if answer.data.get(name) != value:
            return f"it is on {name} {answer.data.get(name)}, and asked was about {value}"
    return None if answer.data.get("answer") in ("approve", "reject") else f"it says {answer.data.get('answer')!r}"


def answer(run: Run, candidate: str, answer: Answer, by: str, reason: str) -> Event:
    """A person's decision on the candidate that waits.

    Raises AutotrophError where none waits, another one does, it was decided on, or its content is not what it was.
    """
    asked = pending(run.ledger)
    if asked is None:
        raise AutotrophError(f"run {run.folder}: no candidate waits for a decision; `autotroph runs` says more")
    proposal = Proposal.of_json(asked.data["proposal"])
    if candidate != proposal.candidate.id:
        raise AutotrophError(
            f"run {run.folder}: candidate {candidate} does not wait for a decision; {proposal.candidate.id} does"
        )
    if here(run, answers(run.ledger, asked)):
        raise AutotrophError(
            f"run {run.folder}: candidate {candidate} was decided on already; `autotroph resume {run.folder}` goes on"
        )
    try:
        Content(run).check(list(named_in(asked)))
    except RedLine as line:
        raise AutotrophError(
            f"run {run.folder}: {line.what}, so that it is not what waits; restore it from a copy"
        ) from None
    about = {"pending": asked.hash, "cycle": proposal.record.cycle, "candidate": candidate}
    return sign(run, "answer", {**about, "answer": answer, "by": by, "reason": reason})


def given(run: Run, asked: Event) -> Event:
    """The decision on what waits. Raises ApprovalNeeded without one, RedLine for one that does not belong there."""
    found = answers(run.ledger, asked)
    for event in found:
        if problem := mismatch(event, asked):
            raise RedLine("approval", f"event {event.seq}: {problem}", [run.ledger.path])
    if not found:
        raise ApprovalNeeded(waiting(run, Proposal.of_json(asked.data["proposal"])))
    if len(here(run, found)) > 1:
        raise RedLine("approval", f"event {found[-1].seq}: the candidate was decided on before", [run.ledger.path])
    check_here(run, found[-1])
    Content(run).check(list(named_in(asked)))
    return found[-1]


def waiting(run: Run, proposal: Proposal) -> str:
    """What to tell the person."""
    name, why = proposal.candidate.id, ", ".join(signal.name for signal in proposal.record.signals)
    return (
        f"run {run.folder}: candidate {name} of cycle {proposal.record.cycle} would be promoted"
        f"{f' ({why})' if why else ''} and waits for a person; `autotroph approve {run.folder} {name}` or "
        f"`autotroph reject {run.folder} {name}`, then `autotroph resume {run.folder}`"
    )


def set_budget(run: Run, caps: str, by: str, reason: str) -> Budget:
    """Write down other caps, given as `tokens=1000000,dollars=none`; those that are not named stay.

    Raises AutotrophError for what is no budget.
    """
    given = {
        name: None if value == "none" else value for name, _, value in (cap.partition("=") for cap in caps.split(","))
    }
    try:
        budget = Budget.model_validate({**run.budget.model_dump(), **given})
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        raise AutotrophError(
            f"budget {caps!r}: {'.'.join(map(str, first['loc']))}: {first['msg']}; give it like tokens=1000000"
        ) from None
    sign(run, "budget", {"caps": budget.model_dump(), "by": by, "reason": reason})
    return budget


def approve_code(run: Run, by: str, reason: str) -> None:
    """Write down the protected code as it is now: the run may go on with it."""
    sign(run, "code", {"code": sources(run.start["config"]), "by": by, "reason": reason})
