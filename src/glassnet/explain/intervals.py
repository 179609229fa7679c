"""Confidence intervals of shares that are counted on the same examples.

Two networks, or one with and without a neuron, answer the same n examples: only those that one of them has right and
the other has not tell them apart.
"""

from math import sqrt

Z95 = 1.959963984540054
"""The standard normal distribution has 95 % within this many standard deviations."""


def paired_change(won: int, lost: int, count: int) -> tuple[float, float]:
    """The 95 % interval of `(won - lost) / count`, a difference of two shares of the same `count` examples.

    Parameters
    ----------
    won, lost : int
        Examples that only the second, and only the first of the two has right.
    count : int
        Number of examples, at least 1.

    Returns
    -------
    (float, float)
        Lower and upper bound, within -1 and 1.

    Notes
    -----
    Half an example is added to each of the four cells, so that the interval has a width where nothing changed, too
    (A. Agresti, Y. Min, "Simple improved confidence intervals for comparing matched proportions", 2005).

    Examples
    --------
    >>> low, high = paired_change(30, 10, 1_000)
    >>> round(low, 4), round(high, 4)
    (0.0075, 0.0324)
    """
    n = count + 2
    change = (won - lost) / n
    off = Z95 * sqrt(max(won + lost + 1 - (won - lost) ** 2 / n, 0.0)) / n
    return max(change - off, -1.0), min(change + off, 1.0)
