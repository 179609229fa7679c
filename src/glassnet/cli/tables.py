"""Tables and bars in plain text, for a terminal of 80 columns."""

from collections.abc import Sequence

from glassnet.evaluation import Evaluation

MOST_CLASSES = 12
"""A confusion matrix of more classes does not fit: then its largest mistakes are listed."""


def confusion_table(figures: Evaluation) -> str:
    """What (rows) was taken for what (columns), and how often each class is recognised."""
    confusion = figures.confusion
    assert confusion is not None
    names = [str(name) for name in figures.classes or range(len(confusion))]
    if len(names) > MOST_CLASSES:
        return _largest_mistakes(figures, names)
    width = max(5, *(len(f"{int(n):,}") + 1 for n in confusion.ravel()))
    label = min(max(len(name) for name in names), 14)
    lines = [
        "what it is (rows) and what it was taken for (columns)",
        " " * label + "".join(f"{n[: width - 1]:>{width}}" for n in names) + "   right",
    ]
    for name, row, right in zip(names, confusion, confusion.diagonal(), strict=True):
        cells = "".join(f"{f'{int(n):,}' if n else '.':>{width}}" for n in row)
        share = f"{right / row.sum():.1%}" if row.sum() else "-"
        lines.append(f"{name[:label]:>{label}}{cells}  {share:>6}")
    return "\n".join(lines)


def _largest_mistakes(figures: Evaluation, names: Sequence[str], top: int = 10) -> str:
    assert figures.confusion is not None
    mistakes = [
        (int(n), names[i], names[k])
        for i, row in enumerate(figures.confusion)
        for k, n in enumerate(row)
        if i != k and n
    ]
    lines = [f"  {n:>6,}  {is_} taken for {for_}" for n, is_, for_ in sorted(mistakes, reverse=True)[:top]]
    return "\n".join(["the most frequent mistakes", *lines]) if lines else "no mistakes"


def bars(names: Sequence[str], values: Sequence[float], width: int = 40) -> str:
    """A line for each value, with a bar for its share of the largest."""
    largest = max((abs(v) for v in values), default=0) or 1
    label = max(len(name) for name in names)
    return "\n".join(
        f"  {name:>{label}}  {value:8.4f}  {'#' * round(width * max(value, 0) / largest)}".rstrip()
        for name, value in zip(names, values, strict=True)
    )
