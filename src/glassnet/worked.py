"""Arithmetic written out so that it can be checked by hand: every column adds up as printed.

Numbers of one column are rounded to the same number of decimals. Rounded parts do not always add up to the rounded sum;
what is then left over goes into the line for the terms not shown, or is printed as a line of its own.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

MOST_DECIMALS = 6

Line: TypeAlias = tuple[str, float]
"""What a number is, and the number."""


def decimals_for(values: Iterable[float], precision: float = 1e-9) -> int:
    """How many decimals a column of these values needs: as few as say them exactly, else four or more."""
    values = [abs(float(v)) for v in values]
    largest = max(values, default=0.0)
    if largest == 0 or not math.isfinite(largest):
        return 1
    for decimals in range(1, MOST_DECIMALS + 1):
        if 10**-decimals < 100 * precision * largest:
            break  # at this many decimals everything would look exact
        if all(abs(v - round(v, decimals)) <= precision * largest for v in values):
            return decimals
    return max(4, 3 - math.floor(math.log10(largest)))


def significant(value: float, digits: int = 7) -> str:
    """A number on its own, to `digits` significant digits: 0.5473576, 2.1e-09."""
    return f"{value:.{digits}g}"


def strongest(products: Sequence[float], top: int) -> list[int]:
    """The positions of the `top` largest products, largest first; all of them, in their order, if there are no more."""
    if len(products) <= top:
        return list(range(len(products)))
    return sorted(range(len(products)), key=lambda i: -abs(products[i]))[:top]


def written(
    heading: str, sums: Sequence[tuple[Sequence[Line], str, Line]], result: Line, precision: float = 1e-9
) -> str:
    """A chain of sums, each carrying on from the total of the one before, and the result under them.

    A sum is its terms, the words for the terms that are not among them ("" if these are all), and its total.
    `precision` tells how far from exact the numbers may be, relative to the largest.
    """
    decimals = decimals_for([v for terms, _, total in sums for _, v in (*terms, total)], precision)

    def units(value: float) -> int:
        """A number in whole units of the last decimal, rounded once, so that what is printed is true and adds up."""
        return round(Fraction(value) * 10**decimals)

    rows: list[tuple[str, str]] = []
    carried = 0
    for terms, others, (name, total) in sums:
        shown = [(text, units(value)) for text, value in terms]
        rest = units(total) - carried - sum(figure for _, figure in shown)
        if others or rest:
            shown.append((others or "rounding of the lines above", rest))
        rows += [(text, _figure(figure, decimals)) for text, figure in shown]
        rows += [("", ""), (name, _figure(units(total), decimals))]
        carried = units(total)

    text_width = max(len(text) for text, _ in (*rows, result))
    width = max(len(figure) for _, figure in rows)
    lines = [f"  {text:<{text_width}}   {figure or '-' * width:>{width}}" for text, figure in rows]
    answer = significant(result[1])
    indent = " " * max(0, width - decimals - 1 - len(answer.partition(".")[0]))  # its point under the other points
    return "\n".join([heading, *lines, f"  {result[0]:<{text_width}}   {indent}{answer}"])


def _figure(units: int, decimals: int) -> str:
    whole, part = divmod(abs(units), 10**decimals)
    return f"{'-' * (units < 0)}{whole:,}.{part:0{decimals}d}"
