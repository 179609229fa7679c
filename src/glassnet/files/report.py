"""Counting what is in a model file: how many numbers, of which kind and type, where. Only the header is looked at.

Parameters stand in a tree by the parts of their names; layers that are built alike are folded into one line. Rows add
up to what stands above them. What is not learnt (running statistics, buffers, the optimizer's state) stands apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from glassnet.architecture import human_bytes
from glassnet.errors import SettingError
from glassnet.files import quantised
from glassnet.files.access import natural
from glassnet.files.dtypes import KINDS
from glassnet.files.tensors import Role, TensorInfo, TensorSource
from glassnet.opening import printable
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Cell, Column, Part, Section, Table, Text

DEEPEST = 24
"""Parts of a name that make groups; what a name has beyond stays together."""
NAMES = 40
"""Columns of text that a name and what is said of it take in the tree."""
LINES = 22
"""Lines of a tree that is cut to fit a screen."""
ROLES: dict[Role, str] = {
    "parameter": "parameters",
    "statistic": "running statistics",
    "buffer": "buffers",
    "optimizer": "optimizer state",
}


@dataclass(frozen=True)
class Figures:
    """Tensors, the numbers they stand for, and their bytes in the file."""

    tensors: int = 0
    count: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, infos: Iterable[TensorInfo]) -> "Figures":
        tensors = count = size = 0
        for info in infos:
            tensors, count, size = tensors + 1, count + info.count, size + info.bytes
        return cls(tensors, count, size)

    @property
    def bits_each(self) -> float:
        return 8 * self.bytes / self.count if self.count else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {"tensors": self.tensors, "total": self.count, "bytes": self.bytes, "bits_each": self.bits_each}


@dataclass(frozen=True)
class Group:
    """A branch of the tree: a part of names, and what lies under it. `alike` groups folded into one count together."""

    name: str
    figures: Figures
    children: tuple["Group", ...] = ()
    alike: int = 1
    info: TensorInfo | None = None

    def times(self, n: int) -> "Group":
        """This group n times."""
        size = self.figures
        return replace(
            self,
            figures=Figures(size.tensors * n, size.count * n, size.bytes * n),
            children=tuple(child.times(n) for child in self.children),
        )

    def as_dict(self, depth: int | None = None) -> dict[str, Any]:
        made: dict[str, Any] = {"name": self.name, **self.figures.as_dict()}
        if self.alike > 1:
            made["alike"] = self.alike
        if self.info is not None:
            made |= {"shape": list(self.info.shape), "dtype": self.info.dtype}
        if self.children and depth != 0:
            made["groups"] = [child.as_dict(None if depth is None else depth - 1) for child in self.children]
        return made


@dataclass(frozen=True)
class CheckpointCount(Rendered):
    """The ledger of a model file. `total` counts parameters, shared ones once; print it for the tree."""

    path: Path
    format: str
    tensors: tuple[TensorInfo, ...]
    file_bytes: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, checkpoint: TensorSource) -> "CheckpointCount":
        size = 0
        for file in checkpoint.files():
            if file.is_file():
                size += file.stat().st_size
        notes = _unpaired(checkpoint.tensors.values())
        notes += tuple(f"{key}: {value}" for key, value in checkpoint.metadata.items() if key == "index total_size")
        return cls(checkpoint.path, checkpoint.format, tuple(checkpoint.tensors.values()), size, notes)

    @cached_property
    def own(self) -> tuple[TensorInfo, ...]:
        """The tensors that have bytes of their own."""
        return tuple(info for info in self.tensors if info.shared_with is None)

    @cached_property
    def parameters(self) -> Figures:
        return Figures.of(info for info in self.own if info.role == "parameter")

    @property
    def total(self) -> int:
        return self.parameters.count

    @property
    def bytes(self) -> int:
        """What all tensors take in the file."""
        return sum(info.bytes for info in self.own)

    @property
    def bytes_in_memory(self) -> int:
        """What all tensors take when they are loaded as they are; packed ones stay so."""
        return sum(_loaded(info) for info in self.own)

    @cached_property
    def by_dtype(self) -> dict[str, Figures]:
        """Parameters by type, the most numerous first."""
        return _sorted_by((info.dtype, info) for info in self.own if info.role == "parameter")

    @cached_property
    def by_role(self) -> dict[Role, Figures]:
        return {role: Figures.of(info for info in self.own if info.role == role) for role in ROLES}

    @cached_property
    def shared(self) -> tuple[TensorInfo, ...]:
        """The tensors whose bytes are another's."""
        return tuple(info for info in self.tensors if info.shared_with is not None)

    @cached_property
    def tree(self) -> Group:
        """Parameters by the parts of their names."""
        return _tree([info for info in self.own if info.role == "parameter"], self.parameters)

    def __int__(self) -> int:
        return self.total

    def document(self, depth: int | None = None) -> Document:
        """The tree down to `depth` (without one, as deep as fits a screen), types, and what is not learnt."""
        if depth is not None and depth < 0:
            raise SettingError(f"depth must be 0 or more, not {depth}", help="depth 0 shows the total alone")
        tensors = f"{len(self.tensors):,} tensor{'s' * (len(self.tensors) != 1)}"
        size = self.parameters
        whole = f" ({size.count:,})" if human_count(size.count) != f"{size.count:,}" else ""
        name = _shortened(self.path.name or str(self.path), max(20, 75 - len(self.format) - len(tensors)))
        figures = [
            f"{human_count(size.count)} parameters{whole}, {size.bits_each:.4g} bits each{self._without}",
            f"{human_bytes(self.file_bytes)} on disk, {human_bytes(self.bytes_in_memory)} in memory, "
            f"{human_bytes(4 * size.count)} as float32",
        ]
        parts: list[Part] = [*map(Text, figures), *([Section("", [self._table(depth)])] if self.total else [])]
        return Document(f"{name}: {self.format}, {tensors}", [*parts, Section("", self._besides())])

    @property
    def _without(self) -> str:
        """What the figure lacks, so that it is not taken for the whole."""
        n = sum(map(quantised.unpaired, self.tensors))
        return f", without {n:,} tensor{'s' * (n != 1)} of codes" if n else ""

    def _table(self, depth: int | None) -> Table:
        entries = list(_entries(self.tree, _fitting(self.tree) if depth is None else depth))
        if depth is None and len(entries) > LINES:
            entries = _cut(entries)
        rows: list[list[Cell]] = []
        for level, group in entries:
            label = _shortened("  " * min(level, 8) + _label(group), NAMES)
            extra = next((extra for extra in _extras(group) if len(label) + len(extra) + 2 <= NAMES), "")
            share = group.figures.count / self.total
            label = f"{label}  {extra}" if extra else label
            rows.append([label, f"{group.figures.count:,}", f"{share:.1%}", Bar(share, 1.0)])
        rows.append(["total", f"{self.total:,}", "", ""])
        columns = [Column("", "l", NAMES), Column("parameters", "r"), Column("share", "r"), Column()]
        return Table(columns, rows, strong=[len(entries)], ruled=[len(entries)])

    def _besides(self) -> list[Part]:
        """Types, and what is not learnt."""
        rows: list[tuple[str, ...]] = []
        for name, figures in self.by_dtype.items():
            packed = "" if name in KINDS and KINDS[name].bits == figures.bits_each else _bits(figures)
            share = f"{figures.count / self.total if self.total else 0:.1%}"
            size = f"{human_bytes(figures.bytes)}{packed}"
            rows.append(("" if rows else "type", printable(name, 24), f"{figures.count:,}", share, size))
        lines = []
        for role, words in ROLES.items():
            figures = self.by_role[role]
            if role != "parameter" and figures.tensors:
                s = "s" * (figures.tensors != 1)
                lines.append(
                    f"apart {words}: {figures.tensors:,} tensor{s}, {human_count(figures.count)} numbers, "
                    f"{human_bytes(figures.bytes)}"
                )
        lines += [f"shared {printable(info.name)} is {printable(info.shared_with)}" for info in self.shared[:3]]
        if len(self.shared) > 3:
            lines.append(f"shared {len(self.shared) - 3:,} more")
        lines += [f"note  {printable(note)}" for note in self.notes]
        columns = [Column(), Column(), Column(align="r"), Column(align="r"), Column()]
        return [*([Table(columns, rows)] if rows else []), *(Text(_shortened(line, 80)) for line in lines)]

    def __repr__(self) -> str:
        return f"CheckpointCount({printable(self.path.name, 60)}, {self.total:,} parameters)"

    def as_dict(self, depth: int | None = None) -> dict[str, Any]:
        """Plain values for JSON: every tensor, and the tree down to `depth`."""
        return {
            "path": str(self.path),
            "format": self.format,
            "total": self.total,
            "bits_each": self.parameters.bits_each,
            "file_bytes": self.file_bytes,
            "bytes": self.bytes,
            "bytes_in_memory": self.bytes_in_memory,
            "by_dtype": {name: figures.as_dict() for name, figures in self.by_dtype.items()},
            "by_role": {role: figures.as_dict() for role, figures in self.by_role.items()},
            "tree": self.tree.as_dict(depth),
            "tensors": [
                {
                    "name": info.name,
                    "shape": list(info.shape),
                    "dtype": info.dtype,
                    "total": info.count,
                    "bytes": info.bytes,
                    "where": info.where,
                    "role": info.role,
                    "shared_with": info.shared_with,
                    "neurons_in": info.neurons_in,
                }
                for info in self.tensors
            ],
            "notes": list(self.notes),
        }


def human_count(n: int) -> str:
    """13002 -> `13,002`, 6738415616 -> `6.74 billion`."""
    for size, word in ((10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if n >= size:
            return f"{n / size:.2f} {word}"
    return f"{n:,}"


def _unpaired(infos: Iterable[TensorInfo]) -> tuple[str, ...]:
    """What looks like quantised weights and is not counted as such."""
    found = [info for info in infos if quantised.unpaired(info)]
    if not found:
        return ()
    s = "s" * (len(found) != 1)
    return (
        f"not counted: {len(found):,} tensor{s} of {found[0].dtype} without a known scale, such as "
        f"{printable(found[0].name, 60)}",
    )


def _loaded(info: TensorInfo) -> int:
    kind = KINDS.get(info.dtype)
    return info.bytes if kind is None or info.packed > 1 or info.quantised else -(-kind.bits * info.count // 8)


def _sorted_by(pairs: Iterable[tuple[str, TensorInfo]]) -> dict[str, Figures]:
    groups: dict[str, list[TensorInfo]] = {}
    for name, info in pairs:
        groups.setdefault(name, []).append(info)
    made = {name: Figures.of(infos) for name, infos in groups.items()}
    return dict(sorted(made.items(), key=lambda item: -item[1].count))


# The tree


def _tree(infos: Sequence[TensorInfo], figures: Figures) -> Group:
    branches: dict[str, Any] = {}
    for info in infos:
        at = branches
        *groups, leaf = info.name.replace("/", ".").split(".", DEEPEST)
        for part in groups:
            below = at.setdefault(part, {})
            if not isinstance(below, dict):  # a tensor has the name of a group
                below = at[part] = {"": below}
            at = below
        while isinstance(at.get(leaf), dict):
            at, leaf = at[leaf], ""
        at[leaf] = info
    return replace(_grown("", branches), figures=figures)


def _grown(name: str, branch: Any) -> Group:
    """A group with all that is under it, single children joined with it, children that are alike folded."""
    if isinstance(branch, TensorInfo):
        return Group(name, Figures(1, branch.count, branch.bytes), (), 1, branch)
    children = _folded([_grown(part, below) for part, below in branch.items()])
    if name and len(children) == 1:
        (only,) = children
        return replace(only, name=f"{name}.{only.name}" if only.name else name)
    size = [child.figures for child in children]
    total = Figures(sum(f.tensors for f in size), sum(f.count for f in size), sum(f.bytes for f in size))
    return Group(name, total, tuple(children))


def _folded(children: list[Group]) -> list[Group]:
    """Numbered neighbours that are built alike, as one."""
    made: list[Group] = []
    run: list[Group] = []
    built: Any = None
    numbered = sorted((c for c in children if _number(c) is not None), key=lambda c: natural(c.name))
    for child in [*numbered, *(c for c in children if _number(c) is None)]:
        rest, number = child.name.partition(".")[2], _number(child)
        shape = (rest, _built(child)) if number is not None else None
        if shape is not None and run and shape == built and number == (_number(run[-1]) or 0) + 1:
            run.append(child)
            continue
        made += _joined(run)
        if shape is None:
            made.append(child)
        run, built = ([child], shape) if shape is not None else ([], None)
    return made + _joined(run)


def _number(group: Group) -> int | None:
    """The number that a group's name begins with."""
    head = group.name.partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 10 else None


def _joined(run: list[Group]) -> list[Group]:
    if len(run) < 2:
        return run
    first, _, rest = run[0].name.partition(".")
    name = f"{first}-{run[-1].name.partition('.')[0]}" + (f".{rest}" if rest else "")
    return [replace(run[0].times(len(run)), name=name, alike=len(run))]


def _built(group: Group) -> Any:
    """What groups that are alike have in common: names, shapes and types of everything in them."""
    if group.info is not None:
        return group.info.shape, group.info.dtype, group.info.bytes
    return tuple((child.name, child.alike, _built(child)) for child in group.children)


def _entries(group: Group, depth: int, level: int = 0) -> Iterator[tuple[int, Group]]:
    if depth > 0:
        for child in group.children:
            yield level, child
            yield from _entries(child, depth - 1, level + 1)


def _fitting(tree: Group) -> int:
    """The greatest depth of which the lines fit a screen."""
    depth, lines = 1, 0
    while depth < DEEPEST + 2:
        more = sum(1 for _ in _entries(tree, depth + 1))
        if more > LINES or more == lines:
            break
        depth, lines = depth + 1, more
    return depth


def _cut(entries: list[tuple[int, Group]]) -> list[tuple[int, Group]]:
    """The largest of too many lines of one level, in their order, and a line for the others."""
    largest = sorted(range(len(entries)), key=lambda i: -entries[i][1].figures.count)
    shown = set(largest[: LINES - 1])
    others = [entries[i][1].figures for i in largest[LINES - 1 :]]
    rest = Figures(sum(f.tensors for f in others), sum(f.count for f in others), sum(f.bytes for f in others))
    kept = [entry for i, entry in enumerate(entries) if i in shown]
    return [*kept, (0, Group(f"({len(others):,} more)", rest))]


def _label(group: Group) -> str:
    return printable(group.name, 120) or "(no name)"


def _extras(group: Group) -> list[str]:
    """What else is said of a group where there is room: the fullest wording first."""
    if group.alike > 1:
        return [f"({group.alike} alike, {group.figures.count // group.alike:,} each)", f"({group.alike} alike)"]
    return [] if group.info is None else [" x ".join(f"{n}" for n in group.info.shape) or "1"]


def _bits(figures: Figures) -> str:
    return f", {figures.bits_each:.4g} bits each"


def _shortened(text: str, width: int) -> str:
    text = printable(text, 10_000)
    return text if len(text) <= width else f"{text[: width // 2 - 2]}...{text[-(width - width // 2 - 1) :]}"
