"""Arithmetic written out so that it can be checked by hand: every column adds up as printed.

Numbers of one column are rounded to the same number of decimals. Rounded parts do not always add up to the rounded
sum. Where they do not, a figure that lay next to the middle between two is rounded the other way, or the column gets
some decimals more; where that does not help, what is left over is a row of its own. What the terms make exactly and
what the machine made of them may differ, too, since it rounds each step: that is a row where it shows, and an error
where rounding cannot explain it.
"""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from fractions import Fraction

MOST_DECIMALS = 6
MOST_ZEROS, MOST_DIGITS = 9, 12
"""Numbers with more zeros behind the point, or digits before it, are written with a power of ten."""
MORE_DECIMALS = 3
"""So many more than it needs may a column get, to add up."""
FARTHEST = (3, 5)
"""Of a unit, as a fraction: from the number itself to its figure. A half would be rounding to the nearest."""


class Product(NamedTuple):
    """An input times its weight, each as it is shown."""

    name: str
    input: str
    weight: str


Line: TypeAlias = tuple[str | Product, float]
"""What a number is, and the number."""


class Sum(NamedTuple):
    """Terms and their total, as the machine has it; each sum of a chain carries on from the total of the one before.

    `others` are the terms that are not shown singly, with their true sum. `rounding` names what the machine's rounding
    may add to that, and `bound` is the most that it may be.
    """

    terms: Sequence[Line]
    total: Line
    others: Line | None = None
    rounding: str = "rounding"
    bound: float = math.inf


class Row(NamedTuple):
    """A line of arithmetic, ready to be laid out: what the number is, and the number as it is shown.

    A `rest` are the terms that are not shown singly, or the machine's rounding; a `total` is the sum of all lines
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
    return max(4, 3 - _exponent(largest))


def _exponent(value: float) -> int:
    """Of ten: exact, where the last bit of a logarithm is a machine's own."""
    return int(f"{abs(value):.16e}".partition("e")[2])


def _power(values: Iterable[float]) -> int:
    """The power of ten that all figures of a column are times; 0 where they can be written without."""
    largest = max(map(abs, values), default=0.0)
    exponent = _exponent(largest) if largest else 0
    return exponent if not -MOST_ZEROS <= exponent < MOST_DIGITS else 0


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


def rounding_bound(sizes: Iterable[float], count: int, epsilon: float) -> float:
    """The most by which a sum of `count` numbers of these sizes may be off, in whatever order it is made.

    Twice the bound of Higham, Accuracy and Stability of Numerical Algorithms (2002), (4.4), since the numbers may be
    products that were rounded, too; and what numbers near 0 lose.
    """
    return 2 * (count + 2) * (epsilon * math.fsum(map(abs, sizes)) + 1e-44)


def rows(sums: Sequence[Sum], result: Line, precision: float = 1e-9) -> list[Row]:
    """A chain of sums and the result under them, however they are then laid out: the figures add up as printed.

    Parameters
    ----------
    sums : sequence of Sum
    result : Line
        What the last total becomes; it is no sum.
    precision : float
        How far from exact the numbers may be, relative to the largest; settles the number of decimals.

    Raises
    ------
    GlassnetError
        If the terms of a sum make another number than its total, by more than its bound.
    """
    numbers = [v for part in sums for _, v in (*part.terms, *([part.others] if part.others else []), part.total)]
    if not all(map(math.isfinite, numbers)):
        return _as_they_are(sums, result)
    errors = _errors(sums)
    shown = [v for part in sums for _, v in (*part.terms, part.total)]
    power = _power(shown)
    needed = 4 - power if power else decimals_for(shown, precision)
    for decimals in range(needed, needed + MORE_DECIMALS + 1):
        figures = _figures(sums, errors, decimals)
        if figures is not None:
            return [*_made(sums, errors, figures, decimals, power), Row("result", result[0], significant(result[1]))]
    figures = _figures(sums, errors, needed, leaving_over=True)
    return [*_made(sums, errors, figures or [], needed, power), Row("result", result[0], significant(result[1]))]


def column(lines: Sequence[Line], precision: float = 1e-9) -> list[Row]:
    """Numbers below one another that are no sum, rounded to one number of decimals."""
    values = [value for _, value in lines]
    if not all(map(math.isfinite, values)):
        return [Row("term", what, significant(value)) for what, value in lines]
    power = _power(values)
    decimals = 4 - power if power else decimals_for(values, precision)
    return [Row("term", what, _written(_units(value, decimals), decimals, power)) for what, value in lines]


def _errors(sums: Sequence[Sum]) -> list[float]:
    """What the machine's own totals are more than the terms make exactly."""
    found, carried = [], 0.0
    for part in sums:
        what, total = part.total
        others = part.others[1] if part.others else 0.0
        error = math.fsum([total, -carried, *(-v for _, v in part.terms), -others])
        if abs(error) > part.bound:
            raise GlassnetError(
                f"the terms of {what!r} make {significant(total - error)}, the machine's own number is "
                f"{significant(total)}: more than rounding explains"
            )
        found.append(error)
        carried = total
    return found


def _figures(
    sums: Sequence[Sum], errors: Sequence[float], decimals: int, leaving_over: bool = False
) -> list[list[int]] | None:
    """Of each sum the terms, the others, the rounding and the total, in units of the last decimal.

    None where they would not add up; `leaving_over` puts what is missing into the rounding.
    """
    made, carried = list[list[int]](), 0
    for part, error in zip(sums, errors, strict=True):
        values = [v for _, v in (*part.terms, *([part.others] if part.others else []))]
        rounding, total = _units(error, decimals), _units(part.total[1], decimals)
        figures = [_units(value, decimals) for value in values]
        missing = total - carried - rounding - sum(figures)
        if missing and not leaving_over:
            missing = _round_others(values, figures, missing, decimals)
        if missing and not leaving_over:
            return None
        made.append([*figures, rounding + missing, total])
        carried = total
    return made


def _round_others(values: Sequence[float], figures: list[int], missing: int, decimals: int) -> int:
    """Round figures the other way, those nearest to the middle first, until nothing is missing; what still is."""
    most, of = FARTHEST
    step = 1 if missing > 0 else -1
    beyond = [step * (_exactly(value, decimals) - figure) for value, figure in zip(values, figures, strict=True)]
    for k in sorted(range(len(values)), key=lambda k: -beyond[k])[: abs(missing)]:
        if (1 - beyond[k]) * of <= most:
            figures[k] += step
            missing -= step
    return missing


def _made(
    sums: Sequence[Sum], errors: Sequence[float], figures: Sequence[Sequence[int]], decimals: int, power: int
) -> list[Row]:
    made = list[Row]()
    for part, error, (*terms, rounding, total) in zip(sums, errors, figures, strict=True):
        lines = [*part.terms, *([part.others] if part.others else [])]
        for k, ((what, _), units) in enumerate(zip(lines, terms, strict=True)):
            made.append(Row("term" if k < len(part.terms) else "rest", what, _written(units, decimals, power)))
        if rounding:
            what = part.rounding if _units(error, decimals) else "rounding of the lines above"
            made.append(Row("rest", what, _written(rounding, decimals, power)))
        made.append(Row("total", part.total[0], _written(total, decimals, power)))
    return made


def _written(units: int, decimals: int, power: int) -> str:
    """Whole units of the last decimal as a figure, times a power of ten where the column has one."""
    return _figure(units, decimals + power) + (f"e{power:+03d}" if power else "")


def _units(value: float, decimals: int) -> int:
    """A number in whole units of the last decimal, rounded once."""
    return round(_exactly(value, decimals))


def _exactly(value: float, decimals: int) -> "Fraction":
    from fractions import Fraction  # here: the command's help has no use for it

    return Fraction(value) * Fraction(10) ** decimals


def _as_they_are(sums: Sequence[Sum], result: Line) -> list[Row]:
    """Rows without sums to check, where some number is no number any more."""
    made = []
    for part in sums:
        made += [Row("term", what, significant(value)) for what, value in part.terms]
        made += [Row("rest", part.others[0], significant(part.others[1]))] if part.others else []
        made.append(Row("total", part.total[0], significant(part.total[1])))
    return [*made, Row("result", result[0], significant(result[1]))]


def _figure(units: int, decimals: int) -> str:
    whole, part = divmod(abs(units), 10**decimals)
    return f"{'-' * (units < 0)}{whole:,}.{part:0{decimals}d}"
