"""Common part of fitted estimators: outputs, explanations, and the attributes of scikit-learn's MLPs."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from glassnet.arrays import Array, check_places
from glassnet.errors import InputError
from glassnet.estimators import persistence
from glassnet.network import Network
from glassnet.schema import Schema

if TYPE_CHECKING:
    pass

FLOATS = (np.float64, np.float32)
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
"""scikit-learn's own words."""


class Fitted(BaseEstimator):
    """`network_` and what is read from it. `_dtype` is that of the computation, `_given_dtype` that of the data."""

    def _narrowed(self, X: Any) -> Any:
        """Inputs in the dtype of the computation; raises `ValueError` if they overflow float32."""
        try:
            with np.errstate(over="raise"):
                return X.astype(self._dtype, copy=False)
        except FloatingPointError:
            raise ValueError(f"{NOT_FINITE} (float32 holds numbers up to 3.4e38)") from None

    def _outputs(self, X: Any) -> Array:
        """The network's outputs for `X`, (n, fan_out), in the dtype of the fitted data."""
        network = vars(self).get("network_")
        if type(X) is np.ndarray and network is not None and X.dtype.kind == "f" and not self._is_named:
            try:  # all of scikit-learn's checks take many times as long as the network does for one row
                return self._of_rows(network, X)
            except ValueError:
                pass  # said below, in scikit-learn's words
        X = self._seen(X)
        return self._of_rows(self.network_, X)

    def _seen(self, X: Any) -> Any:
        """Rows validated against those of fit."""
        check_is_fitted(self)
        check_places(X, "X")
        return validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)

    def _of_rows(self, network: Network, X: Any) -> Array:
        if X.ndim != 2 or not X.shape[0]:
            raise InputError(
                f"X has {X.ndim} dimension{'s' * (X.ndim != 1)} and {X.shape[0]} rows: expected (n, fan_in) with "
                "at least one row",
                help="X.reshape(1, -1) makes one row a table" if X.ndim == 1 else None,
            )
        return network(self._narrowed(X)).astype(self._given_dtype, copy=False)

    @property
    def _is_named(self) -> bool:
        return "feature_names_in_" in vars(self)

    # The attributes of MLPs

    @property
    def coefs_(self) -> list[Array]:
        """Weights of each layer, of shape (fan_in, fan_out), in the dtype of the fitted data.

        The weights of the computation, of shape (fan_out, fan_in), are `network_.layers[i].weights`.
        """
        return [layer.weights.T.astype(self._given_dtype, copy=False) for layer in self.network_.layers]

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of each layer, of shape (fan_out,)."""
        return [layer.biases.astype(self._given_dtype, copy=False) for layer in self.network_.layers]

    def _schema(self) -> Schema:
        names = vars(self).get("feature_names_in_")
        return Schema(features=None if names is None else tuple(names.tolist()), classes=self._class_names())

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return persistence.to_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(persistence.from_state(state))
