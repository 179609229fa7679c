"""Arithmetic written out so that it can be checked by hand: every column adds up as printed.

Numbers of one column are rounded to the same number of decimals. Rounded parts do not always add up to the rounded sum;
what is then left over goes into the line for the terms not shown, or is printed as a line of its own.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

MOST_DECIMALS = 6


class Product(NamedTuple):
    """An input times its weight, each as it is shown."""

    name: str
    input: str
    weight: str


Line: TypeAlias = tuple[str | Product, float]
"""What a number is, and the number."""


class Row(NamedTuple):
    """A line of arithmetic, ready to be laid out: what the number is, and the number as it is shown.

    A `rest` are the terms that are not shown singly, or what rounding left over; a `total` is the sum of all lines
    above it since the total before, that one included; the `result` comes last, and is no sum.
    """

    kind: Literal["term", "rest", "total", "result"]
    what: str | Product
    figure: str


def decimals_for(values: Iterable[float], precision: float = 1e-9) -> int:
    """How many decimals a column of these values needs: as few as say them exactly, else four or more."""
    values = [abs(float(v)) for v in values]
    largest = max(values, default=0.0)
    if largest == 0 or not math.isfinite(largest):
        return 1
    for decimals in range(1, MOST_DECIMALS + 1):
        if float(f"1e-{decimals}") < 100 * precision * largest:
            break  # at this many decimals everything would look exact
        if all(abs(v - round(v, decimals)) <= precision * largest for v in values):
            return decimals
    exponent = int(f"{largest:.16e}".partition("e")[2])  # exact, where the last bit of a logarithm is a machine's own
    return max(4, 3 - exponent)


def significant(value: float, digits: int = 7) -> str:
    """A number on its own, to `digits` significant digits: 0.5473576, 2.1e-09."""
    return f"{value:.{digits}g}"


def three(value: float) -> str:
    """A number to three significant digits, with a true minus sign: 0.981, −0.00412, 12,300."""
    scientific = f"{value:.2e}"
    digits = 0
    if value:
        if not 1e-3 <= abs(float(scientific)) < 1e6:
            return scientific.replace("-", "\N{MINUS SIGN}")
        digits = max(0, 2 - int(scientific.partition("e")[2]))
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def strongest(products: Sequence[float], top: int) -> list[int]:
    """The positions of the `top` largest products, largest first; all of them, in their order, if there are no more."""
    if len(products) <= top:
        return list(range(len(products)))
    return sorted(range(len(products)), key=lambda i: -abs(products[i]))[:top]


def rows(sums: Sequence[tuple[Sequence[Line], str, Line]], result: Line, precision: float = 1e-9) -> list[Row]:
    """A chain of sums, each carrying on from the total of the one before, and the result under them.

    A sum is its terms, the words for the terms that are not among them ("" if these are all), and its total.
    `precision` tells how far from exact the numbers may be, relative to the largest. However the rows are laid out
    (as text, as a table), their figures are these, and add up as these.
    """
    numbers = [v for terms, _, total in sums for _, v in (*terms, total)]
    if not all(map(math.isfinite, numbers)):
        return _as_they_are(sums, result)
    decimals = decimals_for(numbers, precision)

    def units(value: float) -> int:
        """A number in whole units of the last decimal, rounded once, so that what is printed is true and adds up."""
        from fractions import Fraction  # here: the command's help has no use for it

        return round(Fraction(value) * 10**decimals)

    made: list[Row] = []
    carried = 0
    for terms, others, total in sums:
        figures = [units(value) for _, value in terms]
        made += [Row("term", what, _figure(n, decimals)) for (what, _), n in zip(terms, figures, strict=True)]
        rest = units(total[1]) - carried - sum(figures)
        if others or rest:
            made.append(Row("rest", others or "rounding of the lines above", _figure(rest, decimals)))
        made.append(Row("total", total[0], _figure(units(total[1]), decimals)))
        carried = units(total[1])
    return [*made, Row("result", result[0], significant(result[1]))]


def _as_they_are(sums: Sequence[tuple[Sequence[Line], str, Line]], result: Line) -> list[Row]:
    """Rows without sums to check, where some number is no number any more."""
    made = []
    for terms, others, total in sums:
        made += [Row("term", what, significant(value)) for what, value in terms]
        made += [Row("rest", others, "...")] if others else []
        made.append(Row("total", total[0], significant(total[1])))
    return [*made, Row("result", result[0], significant(result[1]))]


def _figure(units: int, decimals: int) -> str:
    whole, part = divmod(abs(units), 10**decimals)
    return f"{'-' * (units < 0)}{whole:,}.{part:0{decimals}d}"
