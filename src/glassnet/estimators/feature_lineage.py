"""Which column each input of a network comes from, followed through scikit-learn's transformers.

Scalers, imputers and selectors keep a column one column, one-hot codes make several of it; what mixes columns (PCA,
polynomials) ends the way.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from glassnet.errors import SettingError


class Origin(NamedTuple):
    """The column, counted from 0, and what to call what has become of it: "age", "colour=red"."""

    column: int
    label: str


def origins(step: Any, before: Sequence[Origin]) -> list[Origin]:
    """Where the columns that a fitted transformer gives come from, if those that it takes come from `before`.

    Raises `SettingError` for a transformer that mixes columns, naming it.
    """
    if step is None or isinstance(step, str):
        return [] if step == "drop" else list(before)
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            before = origins(part, before)
        return list(before)
    if isinstance(step, ColumnTransformer):
        return [
            origin
            for _, part, columns in step.transformers_
            for origin in origins(part, [before[i] for i in _places(step, columns)])
        ]
    if isinstance(step, FeatureUnion):
        return [origin for _, part in step.transformer_list for origin in origins(part, before)]
    if isinstance(step, OneHotEncoder):
        return [
            Origin(column, f"{label}={category}")
            for i, (column, label) in enumerate(before)
            for category in _categories(step, i)
        ]
    if isinstance(step, KBinsDiscretizer) and step.encode != "ordinal":
        return [
            Origin(column, f"{label} in bin {number}")
            for (column, label), count in zip(before, step.n_bins_, strict=True)
            for number in range(count)
        ]
    if isinstance(step, SelectorMixin):
        return [before[i] for i in step.get_support(indices=True)]
    if isinstance(step, SimpleImputer):
        return _imputed(step, before)
    keeps_columns = isinstance(step, OneToOneFeatureMixin | KBinsDiscretizer)
    if keeps_columns or getattr(step, "feature_names_out", None) == "one-to-one":  # as a FunctionTransformer says it
        return list(before)
    raise SettingError(
        f"{type(step).__name__} mixes columns, so contributions cannot be added up per column",
        help="explain the transformed row: explain(pipeline[-1], pipeline[:-1].transform(row))",
    )


def _places(step: ColumnTransformer, columns: Any) -> list[int]:
    """The numbers of columns that are given as names, numbers, a slice or a mask."""
    names = list(getattr(step, "feature_names_in_", range(step.n_features_in_)))
    if isinstance(columns, str):
        return [names.index(columns)]
    if isinstance(columns, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (columns.start, columns.stop))
        return list(range(len(names)))[start : stop + 1 if isinstance(columns.stop, str) else stop : columns.step]
    if np.ndim(columns) == 1 and len(columns) and isinstance(columns[0], str):
        return [names.index(name) for name in columns]
    return [int(i) for i in np.atleast_1d(np.arange(len(names))[columns])]


def _categories(step: OneHotEncoder, column: int) -> list[str]:
    """The categories of one column that have an input of their own, rare ones together at the end."""
    categories = list(step.categories_[column])
    rare = None if getattr(step, "infrequent_categories_", None) is None else step.infrequent_categories_[column]
    if rare is not None:
        categories = [category for category in categories if category not in rare] + ["(rare)"]
    dropped = None if step.drop_idx_ is None else step.drop_idx_[column]
    if dropped is not None:
        missing = step.categories_[column][dropped]
        categories = [category for category in categories if category != missing]
    return [str(category) for category in categories]


def _imputed(step: SimpleImputer, before: Sequence[Origin]) -> list[Origin]:
    """Columns without any value are left out; an indicator adds one for each column that had gaps."""
    remaining = [
        origin
        for origin, fill in zip(before, step.statistics_, strict=True)
        if step.keep_empty_features or not (isinstance(fill, float) and np.isnan(fill))
    ]
    gaps = () if step.indicator_ is None else step.indicator_.features_
    return remaining + [Origin(before[i].column, f"{before[i].label} missing") for i in gaps]
