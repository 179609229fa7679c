"""Comparison of two networks: the same structure? the same function? Where do they differ, and how far?

Two networks of one structure are compared value by value, after b's hidden neurons have been permuted into a's order
(`matching`); and, if data is given, by their outputs.

    same function   True   the parameters are equal after matching, up to rounding: then it holds for every input
                    True   else the outputs are equal on all the data, up to rounding: only evidence
                    False  some input of the data has different outputs
                    None   the parameters differ and there is no data

Networks of any structure are compared by what they answer and hold for the same data: the classes that moved, both
confusion matrices, and the similarity of their layers (`similarities`).

Imports `answer_changes`, `groups`, `matching`, `paired_evaluation` and `similarities` of `explain`.
"""

import math
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet.arithmetic import significant
from glassnet.arrays import Array, readonly
from glassnet.data.dataset import RawInputs
from glassnet.errors import InputError, SettingError
from glassnet.explain.answer_changes import AnswerChanges
from glassnet.explain.groups import neuron_groups
from glassnet.explain.matching import Matching, differences, matched, rounding_unit, same_but_for_rounding
from glassnet.explain.paired_evaluation import (
    Given,
    PairedOutputs,
    between,
    given,
    in_order,
    inputs_for,
    mixes_sums,
    paired_outputs,
    r_squared,
    same_preprocessing,
)
from glassnet.explain.similarities import FEWEST_EXAMPLES, Similarity, of_layers
from glassnet.network import Network
from glassnet.render.document import Document, Record, Rendered, html_of_fields
from glassnet.render.json import plain
from glassnet.render.parts import Bar, Beside, Cell, Chart, Column, Part, Section, Table, Text

ALIKE = 256
"""Outputs and activations are the same but for rounding if they differ by at most this many units of rounding (1.2e-7
for float32, which makes 3.1e-5) times the largest output, or the activations' size."""

POINTS = 11
LAYERS_SHOWN = 8


class Change(NamedTuple):
    """The parameter that differs most: weight `input` of a neuron, or its bias (None); its value in a and in b."""

    neuron: int
    input: int | None
    a: float
    b: float

    def _repr_html_(self) -> str:
        return html_of_fields(self)


@dataclass(frozen=True)
class LayerComparison(Record):
    """One layer in two networks of the same structure.

    Distances are the length of the difference relative to the lengths of both (the root of the mean of their squares):
    0 for the same, 1.41 for unrelated, 2 for opposite.

    Parameters
    ----------
    layer : int
    distance_before, distance : float
        Distance between the parameters before and after matching.
    mean, spread : tuple of float
        Mean and standard deviation of a's and of b's parameters.
    largest : Change
        The parameter that differs most after matching.
    activations : float or None
        Mean distance between the activations over the data; None without data.
    """

    layer: int
    distance_before: float
    distance: float
    mean: tuple[float, float]
    spread: tuple[float, float]
    largest: Change
    activations: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Line:
    """Networks on the straight line from a to b, with all parameters mixed in the same shares.

    Computed from the weighted sums of the first layer of both, which mix as their weights do: equal to
    `a.with_parameters(...)` up to rounding.

    Parameters
    ----------
    shares : tuple of float
        Shares of b: 0 is a, 1 is b.
    plain, matched : tuple of float
        Measure at each share, with b unchanged and with b in a's order.
    measure : {"accuracy", "R squared"}
        "R squared" for measured targets.
    """

    shares: tuple[float, ...]
    plain: tuple[float, ...]
    matched: tuple[float, ...]
    measure: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))

    def chart(self) -> Chart:
        """The measure of the networks on the way, with b matched and with b as it is."""
        ways = [("b in a's order", self.matched), ("b as it is", self.plain)]
        return Chart("solid: b in a's order, dashed: b as it is", self.shares, ways)

    def section(self) -> Section:
        """The measures along the line, as a curve and as a table."""
        alike = self.plain == self.matched
        ways = [("b as it is", self.plain)] + ([] if alike else [("b in a's order", self.matched)])
        names = {0.0: "a", 1.0: "b"}
        rows = [
            [names.get(share, f"{share:.3g}"), *(cell for _, values in ways for cell in self._cells(values[i]))]
            for i, share in enumerate(self.shares)
        ]
        columns = [Column("share of b", "r")]
        for name, _ in ways:
            columns += [Column("" if alike else name, "r"), Column()]
        title = f"{self.measure} on the straight line from a to b"
        return Section(title, [Beside([self.chart(), Table(columns, rows)])])

    def _cells(self, value: float) -> tuple[str, Bar]:
        text = f"{value:.2%}" if self.measure == "accuracy" else f"{value:.4f}"
        return text, Bar(max(value, 0.0), 1.0)


@dataclass(frozen=True, eq=False)
class Comparison(Rendered):
    """What two networks have in common and where they differ; `compare` makes one. Print it to read it.

    Parameters
    ----------
    names : tuple of str
        Names of a and b.
    networks : tuple of Network
    differs : tuple of str
        Differences of structure, in words; empty for the same structure.
    same_function : bool or None
        None if it cannot be decided.
    evidence : str
        Reason for `same_function`.
    matching : Matching or None
        None for different structures.
    layers : tuple of LayerComparison
        Empty for different structures.
    data_name : str
    examples : int
        Number of inputs they were evaluated on; 0 without data.
    output_difference : float or None
        Largest difference between two outputs; None without data, or if the numbers of outputs differ.
    disagreements : ndarray of shape (k,) or None
        Inputs with different predicted classes.
    answers : ndarray of shape (k, 2) or None
        Classes that a and b predict for these.
    truth : ndarray of shape (k,) or None
        Their true classes; None without targets.
    accuracy, r_squared : tuple of float or None
        Of a and b; accuracy for labels, R squared for measured targets.
    first_divergence : int or None
        First layer whose matched activations differ by more than rounding.
    line : Line or None
        Networks between a and b; None without targets or for different structures.
    classes : tuple of str or None
    overflowed : dict
        For each network, "a" or "b", with numbers that are not finite on the data the first layer that has some; such
        networks are not the same function.
    changes : AnswerChanges or None
        Recall by class, what is taken for what, and both confusion matrices; None without data or classes.
    similarity : Similarity or None
        Of every layer of a with every layer of b; None without data, or with less than 3 examples.
    """

    names: tuple[str, str]
    networks: tuple[Network, Network] = field(repr=False)
    differs: tuple[str, ...]
    same_function: bool | None
    evidence: str
    matching: Matching | None = field(repr=False)
    layers: tuple[LayerComparison, ...] = field(repr=False)
    data_name: str = ""
    examples: int = 0
    output_difference: float | None = None
    disagreements: Array | None = field(default=None, repr=False)
    answers: Array | None = field(default=None, repr=False)
    truth: Array | None = field(default=None, repr=False)
    accuracy: tuple[float, float] | None = None
    r_squared: tuple[float, float] | None = None
    first_divergence: int | None = None
    line: Line | None = field(default=None, repr=False)
    classes: tuple[str, ...] | None = field(default=None, repr=False)
    overflowed: dict[str, int] = field(default_factory=dict)
    changes: AnswerChanges | None = field(default=None, repr=False)
    similarity: Similarity | None = field(default=None, repr=False)

    @property
    def same_structure(self) -> bool:
        """Whether sizes and activations are equal."""
        return not self.differs

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures: dict[str, Any] = {
            "a": self.names[0],
            "b": self.names[1],
            "same_structure": self.same_structure,
            "differs": list(self.differs),
            "same_function": self.same_function,
            "evidence": self.evidence,
            "matching": self.matching.as_dict() if self.matching else None,
            "layers": [layer.as_dict() for layer in self.layers],
        }
        if self.examples:
            figures |= {"data": self.data_name, "count": self.examples, "output_difference": self.output_difference}
            figures |= {"first_divergence": self.first_divergence, "overflowed": self.overflowed}
        if self.disagreements is not None and self.answers is not None:
            figures["disagreements"] = [
                {"example": int(i), "a": self._class(a), "b": self._class(b)}
                | ({"truth": self._class(self.truth[row])} if self.truth is not None else {})
                for row, (i, (a, b)) in enumerate(zip(self.disagreements, self.answers, strict=True))
            ]
        for name, pair in (("accuracy", self.accuracy), ("r_squared", self.r_squared)):
            if pair is not None:
                figures[name] = list(pair)
        for key, part in (("line", self.line), ("changes", self.changes), ("similarity", self.similarity)):
            if part is not None:
                figures[key] = part.as_dict()
        return figures

    def document(self, confusions: bool = False) -> Document:
        """The verdict, the distances layer by layer, and the line between the networks; of different structures what
        became of the answers, and the similarity of the layers.

        Parameters
        ----------
        confusions : bool, default False
            Whether to add the recall of each class and both confusion matrices.
        """
        head = Table([Column(), Column(most=None)], self._head())
        parts: list[Part] = [Section("", [head])]
        if self.matching is None or self.matching.distance_before > 0:
            parts += self._layers() if self.layers else []
            parts += [self.line.section()] if self.line is not None else []
        if self.changes is not None and (self.differs or confusions):
            parts += self.changes.parts(confusions)
        if self.similarity is not None and self.differs:
            parts.append(Section("similarity of layers (CKA)", self.similarity.parts()))
        return Document("", parts)

    def _class(self, number: Any) -> str:
        return self.classes[int(number)] if self.classes and int(number) < len(self.classes) else str(int(number))

    def _head(self) -> list[tuple[str, str]]:
        """Facts about the two networks, each with its name."""
        facts = []
        for letter, name, network in zip("ab", self.names, self.networks, strict=True):
            what = _structure(network) if letter == "a" or self.differs else "the same structure"
            what = what if len(what) <= 64 else f"{len(network.layers)} layers, {network.count().total:,} parameters"
            facts.append((letter, what if name == letter else f"{_cut(name, 68 - len(what))}: {what}"))
        if self.differs:
            facts.append(("structure", f"not the same: {'; '.join(self.differs)}"))
        verdict = {True: "the same", False: "not the same", None: "unknown"}[self.same_function]
        facts.append(("function", f"{verdict}: {self.evidence}"))
        if self.overflowed and self.same_function:
            facts.append(("numbers", f"{_overflow_text(self.overflowed)} on {self.data_name}"))
        if self.matching is not None and self.matching.neurons:
            where = (
                "no layer differs"
                if self.first_divergence is None
                else f"first difference in layer {self.first_divergence}"
            )
            facts.append(("neurons", f"{self.matching}{f'; {where}' if self.examples else ''}"))
        for letter, network in zip("ab", self.networks, strict=True):
            groups = neuron_groups(network)
            more = f" and {len(groups) - 2:,} more groups" if len(groups) > 2 else ""
            facts += [(f"in {letter}", "; ".join(group.text() for group in groups[:2]) + more)] if groups else []
        facts += self._answers()
        for name, pair in (("accuracy", self.accuracy), ("R squared", self.r_squared)):
            if pair is not None:
                a, b = (f"{value:.2%}" if name == "accuracy" else f"{value:.4f}" for value in pair)
                facts.append((name, f"a {a}, b {b}"))
        return facts

    def _answers(self) -> list[tuple[str, str]]:
        if self.disagreements is None or self.answers is None:
            return []
        count = len(self.disagreements)
        if not count:
            return [("answers", f"the same for all {self.examples:,}")]
        text = f"{count:,} of {self.examples:,} differ"
        if self.truth is not None:
            right = [int((self.answers[:, side] == self.truth).sum()) for side in (0, 1)]
            text += f"; of these a has {right[0]:,} right, b {right[1]:,}, neither {count - sum(right):,}"
        shown = []
        for row in range(min(count, 3)):
            a, b = (self._class(answer) for answer in self.answers[row])
            truth = f", truly {self._class(self.truth[row])}" if self.truth is not None else ""
            shown.append(f"input {int(self.disagreements[row])}: a {a}, b {b}{truth}")
        return [("answers", text), ("", "; ".join(shown))]

    def _layers(self) -> list[Part]:
        """How far apart the layers are, and their parameters; of many layers the first and the last ones."""
        layers, half = self.layers, LAYERS_SHOWN // 2
        shown = layers if len(layers) <= LAYERS_SHOWN else (*layers[:half], *layers[-half:])
        largest = max(max(at.distance_before, at.distance, at.activations or 0.0) for at in layers)
        kinds = ["as is", "matched", *(["activations"] if self.examples else [])]
        distances: list[list[Cell]] = []
        parameters = []
        for at in shown:
            values = [at.distance_before, at.distance, at.activations][: len(kinds)]
            shown_as = [("-", "") if value is None else (_distance(value), Bar(value, largest)) for value in values]
            cells = [cell for both in shown_as for cell in both]
            distances.append([str(at.layer), *cells])
            parameters.append(
                [str(at.layer), *(significant(value, 2) for value in (*at.mean, *at.spread)), _change(at)]
            )
        columns = [Column("layer", "r"), *(column for name in kinds for column in (Column(name, "r"), Column()))]
        names = ("layer", "mean of a", "of b", "spread of a", "of b")
        more = [Text(f"... {len(layers) - len(shown):,} more layers")] if len(shown) < len(layers) else []
        return [
            Section("distance of b from a: 0 the same, 1.41 unrelated, 2 opposite", [Table(columns, distances), *more]),
            Section(
                "parameters",
                [Table([*(Column(name, "r") for name in names), Column("largest change")], parameters), *more],
            ),
        ]

    def __repr__(self) -> str:
        verdict = {True: "the same function", False: "not the same function", None: "unknown"}[self.same_function]
        return f"Comparison({' and '.join(self.names)}: {verdict})"


def compare(
    a: Network,
    b: Network,
    data: RawInputs | tuple[RawInputs, npt.ArrayLike] | None = None,
    *,
    points: int | None = None,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison:
    """Compare two networks by structure, parameters and, on data, outputs.

    Parameters
    ----------
    a, b : Network
    data : Dataset, pair (inputs, targets) or inputs, optional
        Data to evaluate both on.
    points : int, optional
        Number of networks on the straight line from a to b, both ends included; by default 11 if the data has targets.
    names : tuple of str, default ("a", "b")

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the data does not fit both networks, has no targets although `points` is given, or the networks have
        different classes.

    Examples
    --------
    >>> import glassnet as gn
    >>> a = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> b = a.edit(0, 1, bias=0.5)
    >>> found = gn.compare(a, b, [[0.0, 1.0]])
    >>> found.same_structure, found.same_function, found.first_divergence
    (True, False, 0)
    """
    if points is not None and points < 2:
        raise SettingError(f"points must be 2 or more, got {points}")
    differs = differences(a, b)
    matching = None if differs else matched(a, b)
    layers = tuple(_layer(i, a, b, matching) for i in range(len(a.layers))) if matching else ()
    if data is None:
        if points is not None:
            raise _no_targets("no data")
        same, evidence = _same_function(a, b, matching, None, "")
        return Comparison(names, (a, b), differs, same, evidence, matching, layers)

    tests = given(data)
    _check(a, b, tests)
    if points is not None and tests.targets is None:
        raise _no_targets("data without targets")
    draws_line = tests.targets is not None and matching is not None and same_preprocessing(a, b)
    trial = paired_outputs(a, b, tests, matching, keep_sums=draws_line and tests.labels is not None and mixes_sums(a))
    same, evidence = _same_function(a, b, matching, trial, _named(tests))
    known = [(i, value) for i, value in enumerate(trial.apart) if not (same and math.isinf(value))]
    apart = [i for i, value in known if value > ALIKE * rounding_unit(a, b)]
    disagreements = answers = truth = accuracy = None
    if trial.answers is not None:
        disagreements = np.flatnonzero(trial.answers[:, 0] != trial.answers[:, 1])
        answers = trial.answers[disagreements]
        if tests.labels is not None:
            truth = tests.labels[disagreements]
            a_right, b_right = (trial.answers == tests.labels[:, None]).mean(axis=0).tolist()
            accuracy = a_right, b_right
    classes = (tests.schema and tests.schema.classes) or a.schema.classes or b.schema.classes
    measured = tests.targets is not None and tests.labels is None
    explained = (r_squared(a, tests), r_squared(b, tests)) if measured else None
    ends = accuracy or explained
    return Comparison(
        names=names,
        networks=(a, b),
        differs=differs,
        same_function=same,
        evidence=evidence,
        matching=matching,
        layers=tuple(
            replace(layer, activations=value if math.isfinite(value) else None)
            for layer, value in zip(layers, trial.apart, strict=True)
        ),
        overflowed=trial.overflowed,
        data_name=tests.name,
        examples=trial.count,
        output_difference=trial.output_difference,
        disagreements=None if disagreements is None else readonly(disagreements),
        answers=None if answers is None else readonly(answers),
        truth=None if truth is None else readonly(truth),
        accuracy=accuracy,
        r_squared=explained,
        first_divergence=apart[0] if apart else None,
        line=_line(a, b, tests, trial, matching, points or POINTS, ends) if draws_line and matching and ends else None,
        classes=classes,
        changes=_changes(trial, tests, classes, max(a.sizes[-1], b.sizes[-1])),
        similarity=of_layers(a, b, tests, ("a", "b")) if trial.count >= FEWEST_EXAMPLES else None,
    )


def _changes(trial: PairedOutputs, data: Given, classes: tuple[str, ...] | None, outputs: int) -> AnswerChanges | None:
    """What became of the answers; None if the networks do not predict classes."""
    if trial.answers is None:
        return None
    most = max(int(trial.answers.max()), -1 if data.labels is None else int(data.labels.max()))
    size = max(len(classes or ()), outputs, most + 1)
    names = (*(classes or ()), *(str(k) for k in range(len(classes or ()), size)))
    apart = trial.answers[:, 0] != trial.answers[:, 1]
    truth = confusions = None
    if data.labels is not None:
        truth = readonly(data.labels[apart])
        counted = (np.bincount(data.labels * size + side, minlength=size * size) for side in trial.answers.T)
        one, other = (readonly(counts.reshape(size, size)) for counts in counted)
        confusions = one, other
    return AnswerChanges(names, len(trial.answers), readonly(trial.answers[apart]), truth, confusions)


def _check(a: Network, b: Network, data: Given) -> None:
    """Raise `InputError` unless both networks can be evaluated on the data, and their outputs compared."""
    if a.sizes[0] != b.sizes[0]:
        raise InputError(
            f"the networks have {a.sizes[0]:,} and {b.sizes[0]:,} inputs: they cannot run on the same data",
            help="compare them without data",
        )
    for what, one, other in (
        ("inputs", a.schema.features, b.schema.features),
        ("classes", a.schema.classes, b.schema.classes),
    ):
        if one is not None and other is not None and one != other:
            raise InputError(
                f"the {what} of the networks differ: {', '.join(one[:5])} and {', '.join(other[:5])}",
                help="compare them without data",
            )


def _no_targets(got: str) -> InputError:
    return InputError(
        f"{got}: the accuracy between a and b needs targets",
        help="pass a Dataset or a pair (inputs, targets), or omit points",
    )


def _named(data: Given) -> str:
    if data.schema is not None:
        return data.name
    count = len(data.inputs) if data.inputs.ndim > 1 else 1
    return f"{count:,} input{'s' * (count != 1)}"


def _same_function(
    a: Network, b: Network, matching: Matching | None, trial: PairedOutputs | None, data: str
) -> tuple[bool | None, str]:
    """Whether a and b have the same outputs, and the reason."""
    for what, m, n in (("inputs", a.sizes[0], b.sizes[0]), ("outputs", a.sizes[-1], b.sizes[-1])):
        if m != n:
            return False, f"they have {m:,} and {n:,} {what}"
    equal = matching is not None and same_but_for_rounding(a, matching.network)
    if equal and matching is not None and same_preprocessing(a, b):
        moved = ", in another order" if matching.moved or matching.flipped else ""
        if matching.found_by == "exact":
            return True, f"every parameter is equal{moved}"
        scaled = " and another scale" if matching.scaled else ""
        return True, f"every parameter is equal but for rounding{moved}{scaled}"
    if trial is not None and trial.overflowed:
        return False, f"{_overflow_text(trial.overflowed)} on {data}"
    if trial is not None and trial.output_difference is not None:
        apart = trial.output_difference
        if apart <= ALIKE * rounding_unit(a, b) * trial.largest_output:
            equal_on = f"equal on {data}" if apart == 0 else f"at most {apart:.2g} apart on {data}"
            return True, f"outputs are {equal_on}; the parameters differ"
        return False, f"outputs are up to {apart:.4g} apart on {data}"
    if equal:
        return False, "every parameter is equal, but raw inputs are standardised by other centers and spreads"
    return None, "the parameters differ, and no data was given"


def _overflow_text(overflowed: dict[str, int]) -> str:
    """Which layers have numbers that are not finite."""
    first = (f"layer {layer} of {name}" for name, layer in overflowed.items())
    return f"{' and '.join(first)} {'has' if len(overflowed) == 1 else 'have'} numbers that are not finite"


def _layer(index: int, a: Network, b: Network, matching: Matching) -> LayerComparison:
    vectors = [
        np.concatenate([layer.weights, layer.biases[:, None]], axis=1, dtype=np.float64)
        for layer in (a.layers[index], b.layers[index], matching.network.layers[index])
    ]
    one, other, in_order = vectors
    size = np.sqrt(((one**2).sum() + (other**2).sum()) / 2) or 1.0
    size_after = np.sqrt(((one**2).sum() + (in_order**2).sum()) / 2) or 1.0
    change = np.abs(one - in_order)
    neuron, place = (int(i) for i in np.unravel_index(int(change.argmax()), change.shape))
    return LayerComparison(
        layer=index,
        distance_before=float(np.sqrt(((one - other) ** 2).sum()) / size),
        distance=float(np.sqrt((change**2).sum()) / size_after),
        mean=(float(one.mean()), float(other.mean())),
        spread=(float(one.std()), float(other.std())),
        largest=Change(
            neuron,
            place if place < one.shape[1] - 1 else None,
            float(one[neuron, place]),
            float(in_order[neuron, place]),
        ),
    )


def _line(
    a: Network,
    b: Network,
    data: Given,
    trial: PairedOutputs,
    matching: Matching,
    points: int,
    ends: tuple[float, float],
) -> Line:
    shares = [k / (points - 1) for k in range(points)]
    inputs = inputs_for(a, data) if trial.first_sums is None else data.inputs
    sums, sums_matched = trial.first_sums, None
    if sums is not None:
        of_b = in_order(sums[1], matching, 0) if len(a.layers) > 1 else sums[1]
        sums_matched = sums[0], of_b
    ways = []
    for network, first in ((b, sums), (matching.network, sums_matched)):
        middle = [between(a, network, share, data, first, inputs) for share in shares[1:-1]]
        ways.append((ends[0], *middle, ends[1]))
    return Line(tuple(shares), ways[0], ways[1], "accuracy" if data.labels is not None else "R squared")


# Text


def _structure(network: Network) -> str:
    runs = [(name, len(list(run))) for name, run in groupby(network.architecture.activations)]
    activations = ", ".join(name if times == 1 else f"{name} x {times}" for name, times in runs)
    return f"{network.architecture}, {activations}, {network.count().total:,} parameters"


def _cut(name: str, width: int) -> str:
    """A name without its beginning if it is too long."""
    return name if len(name) <= width else "..." + name[-max(width - 3, 8) :]


def _distance(value: float) -> str:
    return "0" if value == 0 else f"{value:.3f}" if value >= 0.0005 else f"{value:.0e}"


def _change(layer: LayerComparison) -> str:
    neuron, place, a, b = layer.largest
    where = "bias" if place is None else f"input {place}"
    return f"{layer.layer}:{neuron} {where} {b - a:+.2g}" if a != b else "none"
