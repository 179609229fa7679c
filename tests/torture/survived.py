"""What the parts found, in lines, and what of it is a fault."""

from typing import Any

from torture.failing_calls import FailedCalls
from torture.hostile import MEGABYTES, Hostile
from torture.kills import Kills
from torture.mutations import CHECKED, Mutations
from torture.slow_clients import SlowClients


def lines(result: Any) -> list[str]:
    """The figures of one part."""
    match result:
        case Kills():
            return [f"{result.kills} kills, {result.exact} resumed to the same bytes"]
        case FailedCalls():
            return [f"{result.tried} calls failed, {result.told} told, {len(result.faults)} damaged or left something"]
        case Hostile():
            return [
                f"{result.tried} tried, {len(result.faults)} beyond the bounds",
                f"longest {result.longest[1]:.1f} s ({result.longest[0]})",
                f"largest {result.largest[1]:.0f} MB ({result.largest[0]})",
            ]
        case SlowClients():
            return [
                f"{result.answered} of {result.asked} requests answered beside {result.clients} slow clients, "
                f"the slowest in {result.slowest:.2f} s; at most {result.megabytes:.0f} MB"
            ]
        case _:
            return [
                f"{kind}: {one.tried} changed, {one.told} told, {one.same} the same numbers, {one.other} others, "
                f"{one.crashed} crashed, {one.hung} hung, {len(one.escaped)} escaped"
                for kind, one in result.items()
            ]


def faults(result: Any) -> list[str]:
    """What must not be."""
    match result:
        case Kills():
            lost = [] if result.exact == result.kills else [f"{result.kills - result.exact} kills were not survived"]
            return lost + [f"{name} is left by a kill" for name in result.left]
        case FailedCalls() | Hostile():
            return result.faults
        case SlowClients():
            served = result.asked == result.answered > 0 and result.ended and result.megabytes < MEGABYTES
            return [] if served else [str(result)]
        case _:
            return [fault for kind, one in result.items() for fault in _of_mutations(kind, one)]


def _of_mutations(kind: str, found: Mutations) -> list[str]:
    lost = found.other if kind in CHECKED else 0
    return found.escaped + ([f"{kind}: {found}"] if lost or found.crashed or found.hung or not found.tried else [])
