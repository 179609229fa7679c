"""Pictures, curves and bars made of characters: plain ASCII, so that they look the same in every terminal and in print.

What is for and what is against has glyphs of its own (`+ * #` against `- = o`), so that no colour is needed to tell
them apart. The scale is linear. Knows arrays only, and imports nothing else of `explain`.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.arrays import Array

INK = " .:-=+*#%@"
FOR = " .:+*#@"
AGAINST = " `~-=oO"

LEGEND = f"for {FOR.strip()}   against {AGAINST.strip()}"


def ink(values: "Array", columns: int = 80, rows: int = 40) -> str:
    """A picture (h, w) of numbers from 0 up, from empty to ink; what is empty above and below is left away."""
    import numpy as np

    inked = np.flatnonzero((values > 0).any(axis=1))
    if not inked.size:
        return ""
    values = np.maximum(values[inked[0] : inked[-1] + 1], 0)
    lines = _lines(values / float(values.max()), columns, rows, lambda v: INK[_level(v, len(INK))])
    return "\n".join(lines)


def signed(values: "Array", columns: int = 80, rows: int = 40) -> list[str]:
    """A picture (h, w) of numbers for and against, the largest drawn strongest."""
    import numpy as np

    top = float(np.abs(values).max(initial=0)) or 1.0

    def glyph(value: float) -> str:
        ramp = FOR if value > 0 else AGAINST
        return ramp[_level(abs(value), len(ramp))]

    return _lines(values / top, columns, rows, glyph)


def shrink(values: "Array", columns: int, rows: int) -> "tuple[Array, int]":
    """A picture (h, w) shrunk to `columns` by `rows` characters, and how many characters wide a pixel is drawn.

    A character is about twice as high as wide: a pixel takes two of them, or a character stands for the mean of
    1 x 2 pixels, of 2 x 4, and so on.
    """
    import numpy as np

    height, width = values.shape
    if 2 * width <= columns and height <= rows:
        return values, 2
    step = 1
    while -(-width // step) > columns or -(-height // (2 * step)) > rows:
        step += 1
    padded = np.pad(values, ((0, -height % (2 * step)), (0, -width % step)))
    return padded.reshape(padded.shape[0] // (2 * step), 2 * step, -1, step).mean(axis=(1, 3)), 1


def figures(values: Sequence[float]) -> list[str]:
    """Numbers of one column: four decimals where that says what they are, else four digits; all of one width."""
    largest = max((abs(value) for value in values), default=0.0)
    plain = largest == 0 or 0.001 <= largest < 10_000
    texts = [f"{value:.4f}" if plain else f"{value:.4g}" for value in values]
    width = max(map(len, texts), default=0)
    return [f"{text:>{width}}" for text in texts]


def bar(value: float, largest: float, width: int) -> str:
    """A bar of at most `width` characters for the value's share of the largest; `=` for what is below 0."""
    share = abs(value) / largest if largest else 0.0
    length = round(width * share) if isfinite(share) else 0
    return ("#" if value >= 0 else "=") * length


def curve(
    x: "Array",
    y: "Array",
    mark: tuple[float, float] | None = None,
    columns: int = 60,
    rows: int = 9,
    zero: bool = False,
) -> list[str]:
    """The points (x, y) as a line of dots in a frame with its ends named, and one of them marked `O`."""
    ys = [*y.tolist(), *([mark[1]] if mark else []), *([0.0] if zero else [])]
    xs = [float(x[0]), float(x[-1])]
    low, high = min(ys), max(ys)
    low, high = (low, high) if high > low else (low - 1, high + 1)

    def column(at: float) -> int:
        share = (at - xs[0]) / (xs[1] - xs[0]) if xs[1] > xs[0] else 0.5
        return min(max(round(share * (columns - 1)), 0), columns - 1)

    def row(at: float) -> int:
        return round((high - at) / (high - low) * (rows - 1))

    grid = [[" "] * columns for _ in range(rows)]
    if low < 0 < high:
        grid[row(0)] = ["-"] * columns
    if xs[0] < 0 < xs[1]:
        for line in grid:
            line[column(0)] = "|" if line[column(0)] == " " else "+"
    for at, value in zip(x.tolist(), y.tolist(), strict=True):
        grid[row(value)][column(at)] = "."
    if mark:
        grid[row(mark[1])][column(mark[0])] = "O"
    names = {0: f"{high:.3g}", rows - 1: f"{low:.3g}"}
    label = max(map(len, names.values()))
    lines = [f"{names.get(i, ''):>{label}} |{''.join(line)}".rstrip() for i, line in enumerate(grid)]
    left, right = f"{xs[0]:.3g}", f"{xs[1]:.3g}"
    return [*lines, f"{'':{label}} +{'-' * columns}", f"{'':{label}}  {left}{right:>{columns - len(left)}}"]


def _level(share: float, levels: int) -> int:
    return min(int(share * levels), levels - 1)


def _lines(values: "Array", columns: int, rows: int, glyph: Callable[[float], str]) -> list[str]:
    small, wide = shrink(values, columns, rows)
    return ["".join(wide * glyph(value) for value in line).rstrip() for line in small.tolist()]
