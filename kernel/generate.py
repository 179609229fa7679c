"""Writes what the kernel and the page know of the tables in src/glassnet.

python kernel/generate.py            write both files
python kernel/generate.py --check    exit with status 1 if one of them is not current
"""

import json
import sys
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from glassnet import names  # noqa: E402
from glassnet.activations import ACTIVATIONS, PROBABILITIES  # noqa: E402
from glassnet.initializers import INITIALIZERS, fitting  # noqa: E402
from glassnet.losses import LOSSES  # noqa: E402
from glassnet.optimizers import OPTIMIZERS  # noqa: E402

BY = "Written by kernel/generate.py from the tables in src/glassnet. Do not edit."


def header() -> str:
    """The names as C lists them, in the order of the tables."""
    reads = [PROBABILITIES.get(loss.reads_logits_of or "") for loss in LOSSES.values()]
    starts = [
        f"{{{int(rule.distribution == 'normal')}, {', '.join(f'{number:g}' for number in numbers(rule))}}}"
        for rule in INITIALIZERS.values()
    ]
    parts = [
        f"/* {BY} */",
        "#ifndef GLASSNET_TABLES_H\n#define GLASSNET_TABLES_H\n",
        enum("Activation", ACTIVATIONS, "ACTIVATIONS"),
        each("ACTIVATION", (name for name, of in ACTIVATIONS.items() if not of.by_row)),
        "",
        enum("LossKind", LOSSES, "LOSSES"),
        "/* Those that compare each output with a number of its own. */",
        each("COMPARING_LOSS", (name for name, of in LOSSES.items() if not of.reads_labels)),
        "/* For each loss the activation of whose logits it is a function, or -1. */",
        f"#define LOGITS_OF_LOSSES {', '.join(name.upper() if name else '-1' for name in reads)}",
        "",
        enum("RuleKind", OPTIMIZERS, "RULES"),
        each("RULE", OPTIMIZERS),
        "/* How many numbers each rule remembers of a parameter. */",
        f"#define SLOTS_OF_RULES {', '.join(str(len(rule.slots)) for rule in OPTIMIZERS.values())}",
        "",
        f"/* For each of {', '.join(INITIALIZERS)}: whether it is normal;",
        " * variance = a / (b fan_in + c fan_out + d). */",
        f"enum {{ INITIALIZERS = {len(INITIALIZERS)} }};",
        f"#define STARTS {', '.join(starts)}",
        "\n#endif\n",
    ]
    return "\n".join(parts)


def numbers(rule: Any) -> tuple[float, float, float, float]:
    return rule.numerator, rule.of_fan_in, rule.of_fan_out, rule.constant


def enum(kind: str, table: Any, count: str) -> str:
    return f"enum {kind} {{ {', '.join(name.upper() for name in table)}, {count} }};"


def each(kind: str, entries: Any) -> str:
    return f"#define EACH_{kind}(DO) {' '.join(f'DO({name.upper()})' for name in entries)}"


def typescript() -> str:
    """The names and what the page asks about them."""
    activations = {
        name: {
            "formula": of.formula,
            "byRow": of.by_row,
            "bounds": [bound if isfinite(bound) else None for bound in of.bounds],
            "odd": of.odd,
            "homogeneous": of.homogeneous,
            "trainable": of.trainable,
            "probabilities": of.probabilities,
            "start": fitting(name),
            "aliases": list(of.aliases),
        }
        for name, of in ACTIVATIONS.items()
    }
    losses = {
        name: {
            "readsLogitsOf": PROBABILITIES.get(of.reads_logits_of or ""),
            "readsLabels": of.reads_labels,
            "settings": settings(of, 2),
            "aliases": list(of.aliases),
        }
        for name, of in LOSSES.items()
    }
    optimizers = {
        name: {
            "formula": of.formula.replace("-=", "\u2212=").replace("*", "\u00d7").replace("^2", "\u00b2"),
            "slots": len(of.slots),
            "settings": settings(of, 4),
            "rate": of.constant_learning_rate,
            "aliases": list(of.aliases),
        }
        for name, of in OPTIMIZERS.items()
    }
    defaults = {
        "hidden": names.DEFAULT_HIDDEN,
        "neuron": names.DEFAULT_NEURON,
        "plain": names.PLAIN,
        "optimizer": names.DEFAULT_OPTIMIZER,
        "descent": next(name for name, of in OPTIMIZERS.items() if not of.slots),
        "measured": next(name for name, of in LOSSES.items() if of.reads_logits_of is None),
        "oneOfMany": PROBABILITIES["one of many"],
        "yesOrNo": PROBABILITIES["yes or no"],
        "straight": LOSSES.find("l1").name,  # its gradient has one size, however far off
        "spread": next(name for name, of in ACTIVATIONS.items() if of.odd and of.bounded),
    }
    parts = [f"/** {BY} */\n"]
    for what, table, doc in (
        ("ACTIVATIONS", activations, "What the page asks about an activation; a bound that is null is infinite."),
        ("LOSSES", losses, "What the page asks about a loss; `settings` are as the core reads them."),
        ("OPTIMIZERS", optimizers, "What the page asks about an optimizer; `rate` suits small networks as a constant."),
        ("DEFAULTS", defaults, "What is taken if nothing is said; `spread` is between -1 and 1 on both sides of 0."),
    ):
        parts.append(f"/** {doc} */\nexport const {what} = {literal(table)} as const;\n")
    parts.append(f"export const INITIALIZERS = {literal(list(INITIALIZERS))} as const;\n")
    return "\n".join(parts)


def settings(kind: Any, room: int) -> list[float]:
    """The numbers among the settings, in their order: as `engines.native.settings_of` passes them."""
    found = [getattr(kind(), field.name) for field in fields(kind)]
    values = [float(value) for value in found if isinstance(value, int | float)]
    return values + [0.0] * (room - len(values))


def literal(value: Any, indent: str = "") -> str:
    """JSON as prettier sets it: one line a record, keys without quotation marks."""
    inner = indent + "  "
    if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
        lines = [f"{inner}{key}: {literal(part, inner)},\n" for key, part in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, dict):
        lines = [f"{inner}{key}: {json.dumps(number(part), ensure_ascii=False)},\n" for key, part in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    return json.dumps(value)


def number(value: Any) -> Any:
    """Whole numbers without a point, as prettier writes them."""
    if isinstance(value, list):
        return [number(part) for part in value]
    return int(value) if isinstance(value, float) and value == int(value) else value


FILES = {ROOT / "kernel/tables.h": header, ROOT / "frontend/src/generated/tables.ts": typescript}


def main(arguments: list[str]) -> int:
    stale = [path for path, text in FILES.items() if not path.exists() or path.read_text("utf-8") != text()]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current: run python kernel/generate.py", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[path](), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
