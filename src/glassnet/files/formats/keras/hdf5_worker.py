"""Looks into one HDF5 file, in a process of its own that can do next to nothing: run by `hdf5`, imported by nobody.

HDF5 is read by a C library that was not written with hostile files in mind. Here it gets the file as standard input,
and once its own code is loaded the process gives up what it does not need: it may open no other file (nor a socket),
write none, and use no more than the memory and the processor time that it is allowed. What it answers goes to standard
output: a line of JSON, and numbers behind it. Whoever reads the answer treats it as hostile too.
"""

import io
import json
import math
import os
import sys
from typing import Any

MOST_OBJECTS = 200_000
DEEPEST = 64
LONGEST_TEXT = 16 << 20
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}


class Part(io.RawIOBase):
    """A part of standard input as a file of its own: an HDF5 file that lies in a zip file begins somewhere in it."""

    def __init__(self, start: int, size: int) -> None:
        self.start, self.size, self.at = start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = (0, self.at, self.size)[whence] + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        length = max(0, min(len(buffer), self.size - self.at))
        os.lseek(0, self.start + self.at, 0)
        content = os.read(0, length)
        buffer[: len(content)] = content
        self.at += len(content)
        return len(content)


class Refused(Exception):
    pass


def confine(memory: int, seconds: int) -> None:
    """Give up, for good, whatever reading this one file does not take."""
    try:
        import resource
    except ImportError:  # Windows: what is left is the time that the caller waits
        return
    wanted = {"RLIMIT_AS": memory, "RLIMIT_CPU": seconds, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 3}
    for name, most in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (AttributeError, ValueError, OSError):  # a system that does not know this one
            continue


def rehearse(h5py: Any, numpy: Any) -> None:
    """Do once, with a file of our own, what is done later: whatever is loaded on first use is loaded by now."""
    with h5py.File(io.BytesIO(), "w") as file:
        file.create_dataset("a/b", data=numpy.zeros((2, 2), "f4"), chunks=(1, 2), compression="gzip")
        for i, kind in enumerate((h5py.string_dtype("ascii"), h5py.string_dtype("utf-8"), "S3")):
            for name, value in (("backend", "a"), ("layer_names", ["a", "b"]), ("weight_names", [])):
                file.create_group(f"{i}/{name}").attrs.create(name, value, dtype=kind)
        described(h5py, file)
        rows(file, "/a/b", 0, 2, 1)
    for encoding in ("ascii", "latin-1", "utf-8"):
        b"a".decode(encoding, "surrogateescape").encode(encoding, "replace")
    json.loads(json.dumps({"a": [1, 2.5, None, "\u00e4"]}))


def described(h5py: Any, file: Any) -> dict[str, Any]:
    """Every dataset, and the plain attributes of groups; raises `Refused` for whatever leads out of the file."""
    if file.id.get_create_plist().get_userblock():
        raise Refused("a user block")
    datasets: list[dict[str, Any]] = []
    attributes: dict[str, dict[str, str]] = {}
    seen: dict[Any, str] = {}
    waiting = [("", file, 0)]
    while waiting:
        path, group, depth = waiting.pop()
        if depth > DEEPEST:
            raise Refused(f"groups nested more than {DEEPEST} deep")
        texts = plain_attributes(group)
        if texts:
            attributes[path] = texts
        inner = []
        for name in group:
            place = f"{path}/{name}"
            kind = group.id.links.get_info(name.encode("utf-8", "surrogateescape")).type
            if kind != h5py.h5l.TYPE_HARD:
                way = {h5py.h5l.TYPE_EXTERNAL: "an external link", h5py.h5l.TYPE_SOFT: "a soft link"}
                raise Refused(f"{way.get(kind, 'a link of a kind of its own')} at {place[:200]!r}")
            thing = group[name]
            address = h5py.h5o.get_info(thing.id).addr
            if isinstance(thing, h5py.Group):
                if address in seen:
                    raise Refused(f"the group {place[:200]!r} for a second time")
                seen[address] = place
                inner.append((place, thing, depth + 1))
            elif isinstance(thing, h5py.Dataset):
                datasets.append(dataset(h5py, place, thing, seen.get(address)))
                seen.setdefault(address, place)
            if len(datasets) + len(seen) > MOST_OBJECTS:
                raise Refused(f"more than {MOST_OBJECTS:,} objects")
        waiting += reversed(inner)
    return {"datasets": datasets, "attributes": attributes}


def dataset(h5py: Any, place: str, thing: Any, same: str | None) -> dict[str, Any]:
    made = thing.id.get_create_plist()
    layout = made.get_layout()
    if made.get_external_count():
        raise Refused(f"external storage: {place[:200]!r} keeps its numbers in another file")
    if layout == h5py.h5d.VIRTUAL:
        raise Refused(f"a virtual dataset: {place[:200]!r} is put together from other files")
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    for number in filters:
        if number not in FILTERS:
            raise Refused(f"filter {number} of {place[:200]!r}; known are {', '.join(FILTERS.values())}")
    kind = thing.id.get_type()
    dtype = None
    if kind.get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.COMPOUND, h5py.h5t.OPAQUE):
        dtype = thing.dtype.str if thing.dtype.fields is None else None
    return {
        "name": place,
        "shape": list(thing.shape) if thing.shape is not None else None,
        "dtype": dtype,
        "says": plain_attributes(thing).get("dtype", "")[:40],
        "stored": thing.id.get_storage_size(),
        "offset": thing.id.get_offset() if layout == h5py.h5d.CONTIGUOUS else None,
        "filters": [FILTERS[number] for number in filters],
        "same": same,
    }


def plain_attributes(thing: Any) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in list(thing.attrs)[:100]:
        if name not in ("name", "model_config", "layer_names", "weight_names", "keras_version", "backend", "dtype"):
            continue
        made = thing.attrs.get_id(name)
        if made.dtype.itemsize * math.prod(made.shape or ()) > LONGEST_TEXT:
            continue
        value = thing.attrs[name]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list):
            value = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in value]
            if all(isinstance(part, str) for part in value):
                texts[name] = "\n".join(value)[:LONGEST_TEXT]
        elif isinstance(value, str):
            texts[name] = value[:LONGEST_TEXT]
    return texts


def rows(file: Any, name: str, start: int, stop: int, step: int) -> bytes:
    thing = file[name]
    values = thing[start:stop:step] if thing.shape else thing[()]
    content: bytes = values.tobytes()
    return content


def main() -> None:
    request = json.loads(sys.argv[1])
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # no plug-ins
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    sys.path[:0] = request["packages"]
    import h5py
    import numpy

    rehearse(h5py, numpy)
    confine(request["memory"], request["seconds"])
    content = b""
    try:
        with h5py.File(Part(request["start"], request["size"]), "r") as file:
            if request["task"] == "describe":
                answer = described(h5py, file)
            else:
                answer = {}
                content = rows(file, *request["rows"])
    except Refused as problem:
        answer = {"refused": str(problem)}
    except MemoryError:
        answer = {"damaged": "it asks for more memory than it is given"}
    except Exception as problem:
        answer = {"damaged": f"{type(problem).__name__}: {problem}"[:300]}
    line = json.dumps(answer).encode("ascii")
    for piece in (line, b"\n", content):
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
