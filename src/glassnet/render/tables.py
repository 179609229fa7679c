"""What media without pictures show instead: tables without their bars, networks as a table for each layer, and what
stands side by side one after the other."""

from collections.abc import Iterator, Sequence

from glassnet.render.parts import (
    Bar,
    Beside,
    Column,
    Layer,
    NetworkPicture,
    Part,
    Picture,
    Section,
    Shaded,
    Table,
    by_size,
)
from glassnet.render.text_pictures import figures


def in_a_column(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts one after the other, networks as tables."""
    for part in parts:
        if isinstance(part, Beside):
            yield from in_a_column(part.parts)
        elif isinstance(part, NetworkPicture):
            yield from layer_tables(part)
        else:
            yield part


def drawn_out(table: Table) -> tuple[Sequence[Column], list[list[str]]]:
    """The columns that hold words, and their cells."""
    kept = [i for i in range(len(table.columns)) if not any(isinstance(row[i], Bar) for row in table.rows)]
    return [table.columns[i] for i in kept], [[_words(row[i]) for i in kept] for row in table.rows]


def _words(cell: object) -> str:
    return cell.text if isinstance(cell, Shaded) else str(cell)


def layer_tables(network: NetworkPicture) -> list[Section]:
    """For each layer, from the outputs to the inputs, its strongest neurons and their activations."""
    inputs = [] if isinstance(network.inputs, Picture) else [network.inputs]
    return [_layer(layer) for layer in (*reversed(network.layers), *inputs)]


def _layer(layer: Layer) -> Section:
    nodes = by_size(layer)
    rows = [(node.name, text.strip()) for node, text in zip(nodes, figures([n.value for n in nodes]), strict=True)]
    title = ": ".join(filter(None, (layer.title, layer.detail)))
    return Section(title, [Table([Column("neuron"), Column("activation", "r")], rows)])
