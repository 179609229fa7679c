"""The rows of a Parquet or Arrow data set that one of many processes holds in memory, the others holding the rest.

Together they are the stream: the same schema, the same rows held out, the same numbers of the examples, whatever the
number of processes. Nobody reads more than its own stretch of rows.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.encoding import Gaps
from glassnet.data.stream_dataset import MOST_HELD_OUT, NUMBERS_AT_ONCE, Stream
from glassnet.data.streams import share_of
from glassnet.errors import InputError


@dataclass(frozen=True, eq=False)
class Partition(Stream):
    """A stream of which these rows are here: examples `start` to `start + len(own())` of all `rows`."""

    start: int = 0
    here: tuple[Array, Array] = field(default=(np.empty((0, 0)), np.empty(0)), repr=False)
    """Coded rows (n, columns), and their targets (n,)."""

    @classmethod
    def of(cls, whole: Stream, k: int, n: int, share: float, seed: int) -> tuple["Partition", tuple[Array, Array]]:
        """The k-th of n parts, as yet without its place among the others, and what of it is held out, by the rule of
        `Stream.split`."""
        most = min(MOST_HELD_OUT, 4 * NUMBERS_AT_ONCE // whole.input_shape[0])
        settings = {f.name: getattr(whole, f.name) for f in fields(Stream)}
        settings["within"] = share_of(whole.files.rows, k, n)
        settings["held_out"] = (min(share, most / whole.rows), seed)
        mine = cls(**settings)
        kept: list[tuple[Array, Array]] = [(np.empty((0, len(mine.schema.columns)), np.float32), whole.targets)]
        held = list(kept)
        for rows, targets, numbers in mine._read(Gaps()):
            out = mine._drawn(numbers)
            kept.append((rows[~out], targets[~out]))
            held.append((rows[out], targets[out]))
        return replace(mine, here=_joined(kept)), _joined(held)

    def placed(self, k: int, counts: Sequence[int]) -> "Partition":
        """The part among all parts, given how many examples each holds; `InputError` if one holds none."""
        if 0 in counts:
            raise InputError(
                f"rank {list(counts).index(0)} of {len(counts)} has no example of {self.name}, which has {sum(counts)}",
                help="start fewer processes",
            )
        return replace(self, start=sum(counts[:k]), rows=sum(counts))

    def own(self) -> Dataset:
        """The examples that are here."""
        return self._dataset(*self.here)

    def held(self, parts: Sequence[tuple[Array, Array]]) -> Dataset:
        """What all parts held out, as one data set."""
        rows, targets = _joined(parts)
        if not len(rows):
            raise InputError("no example is held out", help="hold out a larger fraction")
        return self._dataset(rows, targets)

    def fingerprint(self) -> list[int]:
        """As a stream's, but for the last bits of means and spreads, which hang on the number of processes."""
        learnt = [self.schema.features, self.schema.classes, self.counts, self.held_out]
        return [self.rows, *(zlib.crc32(json.dumps(part).encode()) for part in (self.files.files, learnt))]


def _joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([targets for _, targets in parts])
