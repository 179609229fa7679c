"""Contribution of each column to a prediction of a fitted estimator, or of a pipeline that ends in one.

    logit = contribution of "age" + contribution of "income" + ... + bias

The contributions are those of `glassnet.explain.attribution`, added up over the inputs that come from one column.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import fsum
from typing import Any

import numpy as np

from glassnet import arithmetic
from glassnet.arrays import Array
from glassnet.errors import InputError, SettingError
from glassnet.estimators.feature_lineage import Origin, origins
from glassnet.explain.attributions import Attribution
from glassnet.explain.attributions import attribution as attribution_of
from glassnet.names import PLAIN
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Worked
from glassnet.schema import Schema


@dataclass(frozen=True)
class ColumnContribution:
    """Contribution of one column of the row.

    Parameters
    ----------
    name : str
    value : object
        As given.
    contribution : float
        Its part of the logit.
    inputs : tuple of int
        Numbers of the network's inputs made from it.
    """

    name: str
    value: Any
    contribution: float
    inputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Explanation(Rendered):
    """A logit (or a regressor's prediction) divided among the columns; `explain` makes one.

    The contributions and `bias_contribution` add up to `total`, up to `error`.

    Parameters
    ----------
    columns : tuple of ColumnContribution
    attribution : Attribution
        The same by input of the network, with weights.
    """

    columns: tuple[ColumnContribution, ...]
    attribution: Attribution

    @property
    def total(self) -> float:
        """The network's own logit."""
        return self.attribution.total

    @property
    def bias_contribution(self) -> float:
        """The part that no column accounts for."""
        return self.attribution.bias_contribution

    @property
    def error(self) -> float:
        """Difference between `total` and the sum of the contributions."""
        return abs(self.total - sum(column.contribution for column in self.columns) - self.bias_contribution)

    def by_column(self) -> dict[str, float]:
        """{name: contribution}, largest first."""
        return {column.name: column.contribution for column in self._ordered()}

    def as_dict(self) -> dict[str, Any]:
        """Every number, as plain values for JSON."""
        columns = [
            {**vars(column), "value": column.value.item() if hasattr(column.value, "item") else column.value}
            for column in self.columns
        ]
        return {
            "columns": columns,
            "bias_contribution": self.bias_contribution,
            "total": self.total,
            "error": self.error,
            "method": self.attribution.method,
        }

    def _ordered(self) -> list[ColumnContribution]:
        return sorted(self.columns, key=lambda column: -abs(column.contribution))

    def _term(self, column: ColumnContribution) -> str | arithmetic.Product:
        """`age  0.42 x 0.8`, where one input says it all, else only the name and the value."""
        at_work = [i for i in column.inputs if self.attribution.contributions[i] != 0]
        if len(at_work) != 1:
            return f"{column.name} = {column.value}" + (f" ({len(at_work)} inputs)" if at_work else "")
        (i,) = at_work
        value = arithmetic.significant(float(self.attribution.inputs[i]) - float(self.attribution.baseline[i]), 4)
        return arithmetic.Product(
            self.attribution.input_names[i], value, arithmetic.significant(float(self.attribution.weights[i]), 4)
        )

    def document(self, top: int = 12) -> Document:
        """The arithmetic as one would write it down, the `top` largest columns singly."""
        ordered = self._ordered()
        terms: list[arithmetic.Line] = [(self._term(column), column.contribution) for column in ordered[:top]]
        hidden = ordered[top:]
        result: arithmetic.Line = ("error", self.error)
        if self.attribution.activation is not None and self.attribution.activation_name != PLAIN:
            result = (f"activation, {self.attribution.activation_name}", self.attribution.activation)
        sums = [
            arithmetic.Sum(
                terms,
                ("all columns", fsum(column.contribution for column in ordered)),
                (f"{len(hidden):,} more columns", fsum(column.contribution for column in hidden)) if hidden else None,
            ),
            self.attribution.last_sum(self.attribution.name),
        ]
        precision = 1e-9 if self.attribution.dtype == "float64" else 1e-6
        rows = arithmetic.rows(sums, result, precision)
        return Document(f"{self.attribution.name}, column by column", [Worked(rows)])


class ExplainMixin:
    """The method `explain` of an estimator that has a `network_`, and `_seen`: rows as the network takes them."""

    network_: Any
    _seen: Callable[[Any], Array]

    def explain(self, row: Any, output: Any = None, against: Any = None, **how: Any) -> Explanation:
        """Contribution of each column of one row to the prediction: see `estimators.explain`."""
        return explain(self, row, output, against, **how)


def explain(model: Any, row: Any, output: Any = None, against: Any = None, **how: Any) -> Explanation:
    """Contribution of each column of a row to the prediction.

    Parameters
    ----------
    model : GlassClassifier, GlassRegressor, Pipeline or fitted search
        A pipeline must end in one of these and keep columns apart: scalers, encoders, imputers, selectors,
        ColumnTransformer.
    row : array_like, data frame of one row, or Series
    output : optional
        Class (of a regressor: number of the target); by default the predicted one. Omit it for two classes.
    against : optional
        A second class, whose logit is subtracted.
    **how
        `method`, `baseline` and `steps` of `glassnet.explain.attribution`.

    Returns
    -------
    Explanation

    Raises
    ------
    SettingError
        If a transformer mixes columns, or a class does not exist.
    InputError
        If there is more than one row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import glassnet as gn
    >>> X, y = load_iris(return_X_y=True)
    >>> model = gn.GlassClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> found = gn.estimators.explain(model, X[0])
    >>> len(found.columns), found.error < 1e-4
    (4, True)
    """
    model = getattr(model, "best_estimator_", model)
    before, last = (model[:-1], model[-1]) if hasattr(model, "steps") else (None, model)
    if not isinstance(last, ExplainMixin):
        raise SettingError(
            f"cannot explain a {type(last).__name__}: expected a GlassClassifier or GlassRegressor, or a pipeline "
            "that ends in one",
            help="for a network use glassnet.explain.attribution",
        )
    row = _one_row(row)
    names = getattr(model, "feature_names_in_", None)
    width = row.shape[1]
    labels = [f"input {i}" for i in range(width)] if names is None else [str(name) for name in names]
    start = [Origin(i, label) for i, label in enumerate(labels)]
    found = origins(before, start) if before is not None and len(before) else start
    seen = last._seen(row if before is None or not len(before) else before.transform(row))
    inputs = (seen.toarray() if hasattr(seen, "toarray") else seen)[0]
    attribution = _attribution(last, inputs, [origin.label for origin in found], output, against, how)
    values = np.asarray(row.toarray() if hasattr(row, "toarray") else row)[0]
    columns = []
    for i, label in enumerate(labels):
        mine = tuple(k for k, origin in enumerate(found) if origin.column == i)
        columns.append(ColumnContribution(label, values[i], float(attribution.contributions[list(mine)].sum()), mine))
    return Explanation(tuple(columns), attribution)


def _attribution(
    last: Any, inputs: Array, labels: list[str], output: Any, against: Any, how: dict[str, Any]
) -> Attribution:
    """Contributions of the network's inputs, named after the columns."""
    schema = Schema(features=tuple(labels), classes=last.network_.schema.classes)
    network = last.network_.with_schema(schema)
    classes = getattr(last, "classes_", None)
    if classes is None or network.sizes[-1] > 1:
        first, second = (None if name is None else _place(classes, name) for name in (output, against))
        return attribution_of(network, inputs, first, second, **how)
    if against is not None or output not in (None, classes[-1]):
        raise SettingError(
            f"a model of two classes has one logit, that of {classes[-1]!r}: cannot explain {output!r} against "
            f"{against!r}",
            help=f"omit output and against; a negative logit is evidence for {classes[0]!r}",
        )
    found = attribution_of(network, inputs, **how)
    return replace(found, name=f"logit of {classes[-1]}", names=(str(classes[-1]),))


def _place(classes: Any, name: Any) -> int:
    if classes is None:
        return int(name)
    at = np.flatnonzero(classes == name)
    if not len(at):
        raise SettingError(f"unknown class {name!r}: expected one of {classes.tolist()}")
    return int(at[0])


def _one_row(row: Any) -> Any:
    """A row as a table of one row."""
    if hasattr(row, "to_frame") and hasattr(row, "index"):  # a Series, a row of a pandas frame
        row = row.to_frame().T.infer_objects()
    elif not hasattr(row, "shape") or len(row.shape) == 1:
        row = np.reshape(row, (1, -1))
    if row.shape[0] != 1:
        raise InputError(f"{row.shape[0]} rows: an explanation is of one", help="pick one first: X[:1]")
    return row
