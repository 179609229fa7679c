"""A pickle, read as data: a small machine that builds plain containers and descriptions, and can call nothing.

A pickle is a program for a stack machine whose dangerous words are "find this name" and "call it". Here a name stays a
name: `Name("os", "system")` is two strings. What the program calls by name is looked up in a table that the format
lends (`builders`); a name that is not in this table ends the reading at once, before anything else is read. No module
is imported and no object of another class is made, so that there is nothing an attack could reach.
(`pickle.Unpickler` with a `find_class` of one's own is nearly that, but in its C a memo slot of number 2^31 takes
32 GB, and what is nested is hashed and freed as deep as it goes.)

Bounded: `STEPS` words of program, `LARGEST` bytes of text in it, whole numbers of `LONGEST_NUMBER` bytes; the memo is a
dict, so that a slot with a high number costs no more than one with a low; keys are plain: no hash goes deep.
"""

import codecs
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

STEPS = 4_000_000
LARGEST = 64 << 20
LONGEST_NUMBER = 1024
_LONGEST_LINE = 1 << 16
_LONGEST_NAME = 400
_LONGEST_KEY = 16


class Damaged(Exception):
    """It ends too early, or its words make no sense."""


class Refused(Exception):
    """It asks for something that is no plain data; `what` says what."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a Python module, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Described:
    """An object that was not made: what would have been called, with what, and the state it was given after."""

    name: Name
    arguments: tuple[Any, ...]
    state: Any = None


Builder = Callable[[tuple[Any, ...]], Any]
"""From the arguments of a call to the plain thing that it would have made."""

_MARK = object()
_SCALARS = (str, bytes, int, float, bool, type(None))


class PlainUnpickler:
    """Reads one pickle after another from `file`, which is left behind the last one read.

    builders     what a name may build; calling any other is refused
    inert        whether a name that is in `builders` or not may stand as a description of itself
    persistent   what a persistent id stands for
    """

    def __init__(
        self,
        file: BinaryIO,
        builders: Mapping[str, Builder],
        persistent: Callable[[Any], Any],
        inert: Callable[[Name], bool],
    ) -> None:
        self._file, self._builders, self._persistent, self._inert = file, builders, persistent, inert
        self._steps, self._budget = STEPS, LARGEST

    def load(self) -> Any:
        """The next pickle as plain containers and descriptions; raises `Damaged` or `Refused`."""
        try:
            return self._run()
        except (ValueError, OverflowError, struct.error) as problem:  # texts and numbers that cannot be decoded
            raise Damaged(f"its pickle cannot be read: {str(problem)[:100]}") from problem

    def _run(self) -> Any:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        read, words = self._file.read, _WORDS
        while True:
            code = read(1)
            if not code:
                raise Damaged("its pickle ends too early")
            self._steps -= 1
            if self._steps < 0:
                raise Refused(f"more than {STEPS:,} steps")
            if code == b".":
                return self._pop()
            word = words.get(code[0])
            if word is None:
                raise Refused(f"the pickle word {code!r}, which torch.save never writes")
            word(self)

    # The stack

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise Damaged("its pickle takes from an empty stack")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack:
            raise Damaged("its pickle looks at an empty stack")
        return self._stack[-1]

    def _since_mark(self) -> list[Any]:
        if not self._marks:
            raise Damaged("its pickle has no mark where it needs one")
        at = self._marks.pop()
        items = self._stack[at:]
        del self._stack[at:]
        return items

    # The bytes

    def _read(self, length: int) -> bytes:
        if length > 16:
            self._budget -= length
            if self._budget < 0:
                raise Refused(f"more than {LARGEST:,} bytes of text")
        content = self._file.read(length)
        if len(content) < length:
            raise Damaged("its pickle ends too early")
        return content

    def _line(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE)
        self._budget -= len(line)
        if not line.endswith(b"\n") or self._budget < 0:
            raise Damaged("a line of its pickle ends too early")
        return line[:-1]

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._read(struct.calcsize(layout)))[0]

    def _text(self, content: bytes) -> str:
        return content.decode("utf-8", "surrogatepass")

    # Words that make something

    def _long_integer(self, length: int) -> None:
        if not 0 <= length <= LONGEST_NUMBER:
            raise Refused(f"a whole number of {length:,} bytes")
        self._stack.append(int.from_bytes(self._read(length), "little", signed=True))

    def _written_integer(self) -> None:
        line = self._line().removesuffix(b"L")
        if len(line) > LONGEST_NUMBER:
            raise Refused(f"a whole number of {len(line):,} digits")
        self._stack.append({b"00": False, b"01": True}.get(line) if line in (b"00", b"01") else int(line))

    def _written_text(self) -> None:
        line = self._line()
        if len(line) < 2 or line[:1] not in b"'\"" or line[-1:] != line[:1]:
            raise Damaged("a text of its pickle has no quotes")
        self._stack.append(codecs.escape_decode(line[1:-1])[0].decode("latin-1"))

    def _name(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise Damaged("its pickle has a name that is no text")
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        if len(module) + len(name) > _LONGEST_NAME:
            raise Refused(f"a Python name of {len(module) + len(name):,} characters")
        found = Name(module, name)
        if str(found) not in self._builders and not self._inert(found):
            raise Refused(f"the Python object {str(found)[:200]!r}")
        self._stack.append(found)

    def _stack_name(self) -> None:
        name, module = self._pop(), self._pop()
        self._name(module, name)

    def _call(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(arguments, tuple):
            raise Damaged("its pickle calls with no list of arguments")
        self._stack.append(self._built(function, arguments))

    def _call_with_names(self) -> None:
        named, arguments, function = self._pop(), self._pop(), self._pop()
        if named or not isinstance(arguments, tuple):
            raise Refused("a call with named arguments")
        self._stack.append(self._built(function, arguments))

    def _built(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        if not isinstance(function, Name):
            raise Refused(f"a call of something that is no name ({type(function).__name__})")
        for argument in arguments[:_LONGEST_KEY]:  # what may be copied is paid for, or a memo would copy it for ever
            if isinstance(argument, str | bytes):
                self._budget -= len(argument)
            elif isinstance(argument, list | dict | tuple):
                self._steps -= len(argument)
        if self._budget < 0 or self._steps < 0:
            raise Refused(f"more than {STEPS:,} steps or {LARGEST:,} bytes of text")
        builder = self._builders.get(str(function))
        if builder is not None:
            return builder(arguments)
        return Described(function, arguments)

    def _state(self) -> None:
        state, thing = self._pop(), self._top()
        if isinstance(thing, Described):
            thing.state = state

    def _persistent_id(self, which: Any) -> None:
        self._stack.append(self._persistent(which))

    # Words that fill something

    def _extend(self, items: list[Any]) -> None:
        thing = self._top()
        if isinstance(thing, list):
            thing.extend(items)
        elif not isinstance(thing, Described):
            raise Damaged("its pickle appends to what is no list")

    def _set(self, items: list[Any]) -> None:
        thing = self._top()
        if len(items) % 2:
            raise Damaged("its pickle has a key without a value")
        if isinstance(thing, dict):
            thing.update(zip(map(_key, items[::2]), items[1::2], strict=True))
        elif not isinstance(thing, Described):
            raise Damaged("its pickle sets a key in what is no dict")

    def _dict(self) -> None:
        items = self._since_mark()
        self._stack.append({})
        self._set(items)

    # The memo

    def _recall(self, slot: int) -> None:
        if slot not in self._memo:
            raise Damaged("its pickle recalls what it never kept")
        self._stack.append(self._memo[slot])

    def _keep(self, slot: int) -> None:
        self._memo[slot] = self._top()

    def _skip_frame(self) -> None:
        self._number("<Q")


def _key(key: Any) -> Any:
    """A key that hashes at once: a plain value, or a flat tuple of these; a name stands as its text."""
    if isinstance(key, _SCALARS) or (
        isinstance(key, tuple) and len(key) <= _LONGEST_KEY and all(isinstance(part, _SCALARS) for part in key)
    ):
        return key
    if isinstance(key, Name | Described):
        return str(key) if isinstance(key, Name) else str(key.name)
    raise Refused(f"a {type(key).__name__} as a key")


def _push(value: Any) -> Callable[[PlainUnpickler], None]:
    return lambda machine: machine._stack.append(value)


def _read_as(layout: str) -> Callable[[PlainUnpickler], None]:
    return lambda machine: machine._stack.append(machine._number(layout))


def _string(layout: str, decode: str | None) -> Callable[[PlainUnpickler], None]:
    def read(machine: PlainUnpickler) -> None:
        length = machine._number(layout)
        if length < 0:
            raise Damaged("its pickle has a text of negative length")
        content = machine._read(length)
        machine._stack.append(content.decode(decode, "surrogatepass") if decode == "utf-8" else
                              content.decode(decode) if decode else content)  # fmt: skip

    return read


def _tuple(size: int) -> Callable[[PlainUnpickler], None]:
    def take(machine: PlainUnpickler) -> None:
        items = [machine._pop() for _ in range(size)]
        machine._stack.append(tuple(reversed(items)))

    return take


def _unused(machine: PlainUnpickler) -> None:
    if not machine._stack or (machine._marks and len(machine._stack) == machine._marks[-1]):
        machine._since_mark()  # POP takes a mark where nothing lies above it
    else:
        machine._stack.pop()


_WORDS: dict[int, Callable[[PlainUnpickler], Any]] = {
    ord(code): word
    for code, word in {
        "\x80": lambda m: m._read(1),  # the protocol: the words of all of them are understood
        "\x95": lambda m: m._skip_frame(),
        "(": lambda m: m._marks.append(len(m._stack)),
        "0": _unused,
        "1": lambda m: m._since_mark(),
        "2": lambda m: m._stack.append(m._top()),
        "N": _push(None),
        "\x88": _push(True),
        "\x89": _push(False),
        "I": lambda m: m._written_integer(),
        "L": lambda m: m._written_integer(),
        "J": _read_as("<i"),
        "K": _read_as("<B"),
        "M": _read_as("<H"),
        "\x8a": lambda m: m._long_integer(m._number("<B")),
        "\x8b": lambda m: m._long_integer(m._number("<i")),
        "F": lambda m: m._stack.append(float(m._line())),
        "G": _read_as(">d"),
        "S": lambda m: m._written_text(),
        "T": _string("<i", "latin-1"),
        "U": _string("<B", "latin-1"),
        "V": lambda m: m._stack.append(m._line().decode("raw-unicode-escape")),
        "X": _string("<I", "utf-8"),
        "\x8c": _string("<B", "utf-8"),
        "\x8d": _string("<Q", "utf-8"),
        "B": _string("<I", None),
        "C": _string("<B", None),
        "\x8e": _string("<Q", None),
        "\x96": _string("<Q", None),
        ")": _push(()),
        "]": lambda m: m._stack.append([]),
        "}": lambda m: m._stack.append({}),
        "\x8f": lambda m: m._stack.append([]),  # a set is a list here: nothing is hashed
        "\x85": _tuple(1),
        "\x86": _tuple(2),
        "\x87": _tuple(3),
        "t": lambda m: m._stack.append(tuple(m._since_mark())),
        "l": lambda m: m._stack.append(m._since_mark()),
        "\x91": lambda m: m._stack.append(m._since_mark()),
        "d": lambda m: m._dict(),
        "a": lambda m: m._extend([m._pop()]),
        "e": lambda m: m._extend(m._since_mark()),
        "\x90": lambda m: m._extend(m._since_mark()),
        "s": lambda m: m._set([m._pop(), m._pop()][::-1]),
        "u": lambda m: m._set(m._since_mark()),
        "g": lambda m: m._recall(int(m._line()[:20])),
        "h": lambda m: m._recall(m._number("<B")),
        "j": lambda m: m._recall(m._number("<I")),
        "p": lambda m: m._keep(int(m._line()[:20])),
        "q": lambda m: m._keep(m._number("<B")),
        "r": lambda m: m._keep(m._number("<I")),
        "\x94": lambda m: m._keep(len(m._memo)),
        "c": lambda m: m._name(m._text(m._line()), m._text(m._line())),
        "\x93": lambda m: m._stack_name(),
        "R": lambda m: m._call(),
        "\x81": lambda m: m._call(),  # NEWOBJ: the same, as nothing is made of a class
        "\x92": lambda m: m._call_with_names(),
        "b": lambda m: m._state(),
        "P": lambda m: m._persistent_id(m._text(m._line())),
        "Q": lambda m: m._persistent_id(m._pop()),
    }.items()
}  # fmt: skip
