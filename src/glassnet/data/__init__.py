"""Data: one source per file, each of them read into a `Dataset`.

Importing this costs numpy and no more: Pillow and pyarrow are imported when a picture or a table is read.
"""

from glassnet.data.dataset import Dataset
from glassnet.data.digits import digits
from glassnet.data.idx import idx
from glassnet.data.images import as_digit, folder, image_inputs
from glassnet.data.sources import read
from glassnet.data.stream_dataset import Stream
from glassnet.data.streams import stream
from glassnet.data.tables import table, table_inputs
from glassnet.data.toys import circle, gauss, spiral, xor

__all__ = [
    "Dataset",
    "Stream",
    "as_digit",
    "circle",
    "digits",
    "folder",
    "gauss",
    "idx",
    "image_inputs",
    "read",
    "spiral",
    "stream",
    "table",
    "table_inputs",
    "xor",
]
