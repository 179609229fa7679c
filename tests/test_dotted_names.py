"""Every name such as `gn.history.Epoch` in documents, docstrings and help texts exists."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import glassnet as gn

ROOT = Path(__file__).parent.parent
DOTTED = re.compile(r"(?<![\w./-])(?:gn|glassnet)((?:\.[A-Za-z_]\w*)+)")
METADATA = {"glassnet.folded_scale", "glassnet.json"}
"""Keys in the metadata of model files, no names of Python."""


def exists(dotted: str) -> bool:
    """Whether the name resolves, as far as modules and classes go (`glassnet.files.registry.FORMATS`)."""
    found: Any = gn
    path = "glassnet"
    for name in dotted.split(".")[1:]:
        path += f".{name}"
        if not hasattr(found, name):
            try:
                import_module(path)
            except ImportError:
                return False
        found = getattr(found, name)
        if not isinstance(found, ModuleType | type):
            return True
    return True


def test_missing_names_are_found() -> None:
    assert [exists(f"gn.{name}") for name in ("train", "training.Epoch", "history.Epoch", "Network.nothing")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_every_dotted_name_exists() -> None:
    places = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/glassnet/**/*.py")]
    places = [place for place in places if place.name != "CHANGELOG.md"]  # which also lists old names
    named = {
        (str(place.relative_to(ROOT)), found[0]) for place in places for found in DOTTED.finditer(place.read_text())
    }
    assert len(named) > 100
    assert sorted((place, name) for place, name in named if name not in METADATA and not exists(name)) == []
