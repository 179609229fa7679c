"""Tables of named things: activations, losses, optimizers, initializers, schedules.

Each is listed once, in the file with its formulas. A name is found however other frameworks spell it ("LeakyReLU",
"leakyrelu") and by the names that they give the same thing ("swish", "mse", "xavier_uniform").
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

from glassnet.errors import SettingError, unknown_name

T = TypeVar("T")

ActivationLike: TypeAlias = str | Callable[[Any], Any]
"""An activation: its name, or the function of z itself (an `activations.Activation`, or any other)."""

DEFAULT_HIDDEN, DEFAULT_NEURON, PLAIN, DEFAULT_OPTIMIZER = "relu", "sigmoid", "identity", "adam"
"""What is taken if nothing is said: the activation of hidden layers, of a neuron alone and of an output layer, and the
optimizer. They stand here, and not in the tables, because the command's help is printed without numpy."""


class Table(dict[str, T]):
    """Entries by name, in the order in which they were added; `aliases` leads from other names to these.

    Parameters
    ----------
    kind : str
        What the entries are, for messages: "activation".
    entries : iterable
        Each has a `name` and `aliases`.
    family : callable, optional
        Makes the entry of a name that holds a number, such as `leaky_relu_0_2`; None for any other name. Such entries
        are found but not listed: there is one for every number.

    Examples
    --------
    >>> from glassnet.activations import ACTIVATIONS
    >>> ACTIVATIONS.find("swish").name
    'silu'
    """

    def __init__(
        self, kind: str, entries: Iterable[T] = (), family: "Callable[[str], T | None]" = lambda _: None
    ) -> None:
        super().__init__()
        self.kind = kind
        self.family = family
        self.aliases: dict[str, str] = {}
        for entry in entries:
            self.add(entry)
        self.built_in = tuple(self)

    def add(self, entry: T, replace: bool = False) -> None:
        """Add an entry; raises `SettingError` if its name is taken and `replace` is false, or built in."""
        name: str = entry.name  # type: ignore[attr-defined]
        found = self.aliases.get(spelling(name))
        if found is not None and (not replace or found in self.built_in):
            if found in self.built_in:
                raise SettingError(
                    f"the {self.kind} {found!r} is built in: another one needs a name of its own",
                    help=f"name it {name + '_2'!r}, for example",
                )
            raise SettingError(
                f"the {self.kind} {name!r} is already registered with another formula",
                help="give it another name, or pass replace=True to gn.register",
            )
        self[name] = entry
        for alias in (name, *entry.aliases):  # type: ignore[attr-defined]
            self.aliases[spelling(alias)] = name

    def find(self, name: Any) -> T:
        """The entry of this name or alias; raises `SettingError` with the nearest one if there is none."""
        found = self.get(name) if isinstance(name, str) else None
        if found is None:
            if isinstance(name, str):
                alias = self.aliases.get(spelling(name))
                found = self.family(name) if alias is None else self[alias]
            if found is None:
                raise unknown_name(self.kind, name, self, self.aliases)
        return found

    def has(self, name: str) -> bool:
        """Whether `find` finds exactly this name: an entry or one of the family, not an alias."""
        return name in self or self.family(name) is not None

    def fresh(self, instance: Any) -> bool:
        """Whether this is exactly one of the built-in entries: not a subclass, not one that was registered."""
        name = getattr(instance, "name", None)
        return name in self.built_in and (instance is self[name] or type(instance) is self[name])

    def __repr__(self) -> str:
        return f"Table({self.kind}: {', '.join(self)})"


def spelling(name: str) -> str:
    """A name as it is compared: `LeakyReLU`, `leaky-relu` and `leaky_relu` are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def made(kind: type) -> Any:
    """An instance of a class with its usual settings; `SettingError` where it has settings without defaults."""
    try:
        return kind()
    except TypeError as problem:
        raise SettingError(
            f"{kind.__name__} needs settings ({problem})", help=f"pass an instance: {kind.__name__}(...)"
        ) from None
