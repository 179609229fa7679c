"""Perturbations: what a network can still do when its parameters change.

    scramble    the same values in other places: everything is lost, although no value is
    noise       every value changed a little: much survives
    prune       the smallest weights set to 0: most are not needed
    round_bits  only a few different values left: few are enough

Each returns a new network of the same structure; `perturbation` measures one of them over a range of strengths. Imports
`paired_evaluation` of `explain`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset, RawInputs
from glassnet.engines.reference import weights_and_biases
from glassnet.errors import InputError, SettingError, unknown_name
from glassnet.evaluation import evaluate
from glassnet.explain.paired_evaluation import Given, given, inputs_for
from glassnet.network import Network
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Column, Table

MOST_BITS = 24
BAR = 50


def scramble(network: Network, seed: int = 0, share: float = 1.0) -> Network:
    """The same values in other places: within each layer weights change places with weights, biases with biases.

    Parameters
    ----------
    network : Network
    seed : int
        The same seed gives the same order, on the page too.
    share : float
        Contribution of the values that change places, drawn at random, from 0 to 1.

    Returns
    -------
    Network
        A network of the same structure; `network` itself does not change.

    Raises
    ------
    SettingError
        If `share` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-2-1", seed=0)
    >>> changed = gn.explain.scramble(network, seed=1)
    >>> sorted(changed.parameters) == sorted(network.parameters)
    True
    """
    _check_share(share, 1.0)
    random = np.random.default_rng(seed)

    def moved(values: Array) -> Array:
        places = np.flatnonzero(random.random(values.size) < share)
        values = values.copy()
        values.flat[places] = values.ravel()[random.permutation(places)]
        return values

    return _changed(network, moved)


def noise(network: Network, share: float, seed: int = 0) -> Network:
    """Every parameter plus a random number of a normal distribution around 0.

    Parameters
    ----------
    network : Network
    share : float
        Standard deviation of the noise, in root mean squares of the layer's weights (of its biases for the biases).
    seed : int
        The same seed gives the same noise; a smaller share is the same noise made smaller.

    Returns
    -------
    Network
        A network of the same structure; `network` itself does not change.

    Raises
    ------
    SettingError
        If `share` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-2-1", seed=0)
    >>> gn.explain.noise(network, 0.0) == network
    True
    """
    _check_share(share, np.inf)
    random = np.random.default_rng(seed)

    def moved(values: Array) -> Array:
        # Summed one after the other, so that the core comes to the same bits.
        mean_square = np.add.accumulate(values.ravel() ** 2)[-1] / values.size
        return values + share * np.sqrt(mean_square) * random.standard_normal(values.shape)

    return _changed(network, moved)


def prune(network: Network, share: float) -> Network:
    """The smallest weights of each layer (by absolute value) set to 0; biases stay.

    Parameters
    ----------
    network : Network
    share : float
        Contribution of each layer's weights that become 0, from 0 to 1.

    Returns
    -------
    Network
        A network of the same structure; `network` itself does not change.

    Raises
    ------
    SettingError
        If `share` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-2-1", seed=0)
    >>> int((gn.explain.prune(network, 0.5).layers[0].weights == 0).sum())
    3
    """
    _check_share(share, 1.0)

    def thinned(values: Array) -> Array:
        if values.ndim == 1:
            return values
        values = values.copy()
        smallest = np.argsort(np.abs(values), axis=None, kind="stable")[: round(share * values.size)]
        values.flat[smallest] = 0
        return values

    return _changed(network, thinned)


def round_bits(network: Network, bits: float) -> Network:
    """Every parameter rounded to the nearest of 2^bits values.

    The values are evenly spaced from the smallest to the largest weight of the layer (the smallest to the largest bias
    for the biases).

    Parameters
    ----------
    network : Network
    bits : int
        Bits for each parameter, from 1 to 24.

    Returns
    -------
    Network
        A network of the same structure; `network` itself does not change.

    Raises
    ------
    SettingError
        If `bits` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-2-1", seed=0)
    >>> len(set(gn.explain.round_bits(network, 1).layers[0].weights.ravel().tolist()))
    2
    """
    if not (1 <= bits <= MOST_BITS and bits == int(bits)):
        raise SettingError(f"bits must be a whole number from 1 to {MOST_BITS}, got {bits}")

    def rounded(values: Array) -> Array:
        low, high = float(values.min()), float(values.max())
        if low == high:
            return values
        step = (high - low) / (2 ** int(bits) - 1)
        return low + np.round((values - low) / step) * step

    return _changed(network, rounded)


def _changed(network: Network, change: Callable[[Array], Array]) -> Network:
    """The network with each layer's weights (fan_out, fan_in), then its biases (fan_out,), mapped by `change`."""
    vector = network.parameters.astype(np.float64)
    for parts in weights_and_biases(network.architecture, vector):
        for part in parts:
            part[...] = change(part)
    return network.with_parameters(vector)


def _check_share(share: float, most: float) -> None:
    if not 0 <= share <= most or not np.isfinite(share):
        limits = "a number from 0 up" if most == np.inf else "a number from 0 to 1"
        raise SettingError(f"share must be {limits}, got {share}")


# Measured


@dataclass(frozen=True)
class Kind:
    """A perturbation: name and usual values of its strength, whether it is random, and its function."""

    strength: str
    usual: tuple[float, ...]
    random: bool
    apply: Callable[[Network, float, int], Network]


KINDS = {
    "scramble": Kind("share", (0.1, 0.2, 0.4, 0.6, 0.8, 1), True, lambda n, s, seed: scramble(n, seed, s)),
    "noise": Kind("noise", (0.1, 0.2, 0.5, 1, 2, 5), True, noise),
    "prune": Kind("share", (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1), False, lambda n, s, _: prune(n, s)),
    "round_bits": Kind("bits", (8, 6, 5, 4, 3, 2, 1), False, lambda n, s, _: round_bits(n, s)),
}


@dataclass(frozen=True)
class Perturbation(Rendered):
    """Accuracy against strength; `perturbation` measures it.

    Parameters
    ----------
    kind : {"scramble", "noise", "prune", "round_bits"}
    strengths : tuple of float
        Shares, standard deviations of noise, or bits.
    figures : tuple of tuple of float
        For each strength the measure of each repetition.
    unchanged : float
        Measure of the unchanged network.
    measure : {"accuracy", "R squared"}
        "R squared" for measured targets.
    chance : float or None
        Accuracy of guessing, 1 / classes; None for measured targets.
    data_name : str
    examples : int
        Number of examples.
    """

    kind: str
    strengths: tuple[float, ...]
    figures: tuple[tuple[float, ...], ...]
    unchanged: float
    measure: str
    chance: float | None
    data_name: str
    examples: int

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Mean measure for each strength."""
        return tuple(sum(row) / len(row) for row in self.figures)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Pairs of strength and mean measure."""
        return iter(zip(self.strengths, self.accuracy, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "kind": self.kind,
            "measure": self.measure,
            "unchanged": self.unchanged,
            "chance": self.chance,
            "data": self.data_name,
            "count": self.examples,
            "rows": [
                {"strength": strength, "mean": mean, "figures": list(figures)}
                for (strength, mean), figures in zip(self, self.figures, strict=True)
            ],
        }

    def document(self) -> Document:
        """Mean measure for each strength, between the unchanged network and guessing."""
        repeated = f", means of {len(self.figures[0])} seeds" if len(self.figures[0]) > 1 else ""
        named = [("unchanged", self.unchanged), *((f"{strength:.4g}", mean) for strength, mean in self)]
        named += [("chance", self.chance)] if self.chance is not None else []
        rows = [
            (name, f"{value:.2%}" if self.measure == "accuracy" else f"{value:.4f}", Bar(max(value, 0.0), 1.0))
            for name, value in named
        ]
        title = f"{self.kind.replace('_', ' ')}: {self.measure} on {self.data_name}, {self.examples:,} examples"
        columns = [Column(KINDS[self.kind].strength, "r"), Column(self.measure, "r"), Column()]
        return Document(title + repeated, [Table(columns, rows)])

    def __repr__(self) -> str:
        return f"Perturbation({self.kind} on {self.data_name}, {len(self.strengths)} strengths)"


def perturbation(
    network: Network,
    data: Dataset | tuple[RawInputs, npt.ArrayLike],
    kind: str,
    strengths: Sequence[float] | None = None,
    *,
    seed: int = 0,
    repeats: int = 3,
) -> Perturbation:
    """Measure the accuracy of a network while its parameters are perturbed.

    Parameters
    ----------
    network : Network
    data : Dataset or pair (inputs, targets)
    kind : {"scramble", "noise", "prune", "round_bits"}
    strengths : sequence of float, optional
        Shares for scramble and prune, the `share` of `noise`, or bits; by default a usual range.
    seed : int, default 0
        Seed of the first repetition; the next ones count up.
    repeats : int, default 3
        Repetitions of each strength of scramble and noise.

    Returns
    -------
    Perturbation

    Raises
    ------
    InputError
        If the data has no targets.
    SettingError
        If the kind is unknown or a strength out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.gauss(n=100, seed=0)
    >>> network = gn.train(gn.Network.create("2-4-2", "tanh", output="softmax", seed=0), data, epochs=10).network
    >>> found = gn.explain.perturbation(network, data, "prune", [0.0, 1.0])
    >>> found.accuracy[0] == found.unchanged, round(found.accuracy[1], 1)
    (True, 0.5)
    """
    if kind not in KINDS:
        raise unknown_name("experiment", kind, KINDS)
    if repeats < 1:
        raise SettingError(f"repeats must be 1 or more, got {repeats}")
    of_kind = KINDS[kind]
    chosen = of_kind.usual if strengths is None else tuple(strengths)
    if not chosen:
        raise SettingError("strengths is empty: expected at least one", help="omit strengths for the usual ones")
    tests = given(data)
    if tests.targets is None:
        raise InputError(
            "the data has no targets: measuring the accuracy needs them",
            help="pass a Dataset or a pair (inputs, targets)",
        )
    examples, network = (inputs_for(network, tests), tests.targets), network.bare
    seeds = range(seed, seed + repeats) if of_kind.random else [seed]
    return Perturbation(
        kind=kind,
        strengths=tuple(chosen),
        figures=tuple(
            tuple(_figure(of_kind.apply(network, strength, s), examples) for s in seeds) for strength in chosen
        ),
        unchanged=_figure(network, examples),
        measure="accuracy" if tests.labels is not None else "R squared",
        chance=_chance(network, tests),
        data_name=tests.name,
        examples=len(tests.inputs),
    )


def _figure(network: Network, examples: tuple[Array, Array]) -> float:
    figures = evaluate(network, examples)
    figure = figures.accuracy if figures.accuracy is not None else figures.r_squared
    assert figure is not None
    return figure


def _chance(network: Network, data: Given) -> float | None:
    return 1 / max(network.sizes[-1], 2) if data.labels is not None else None
