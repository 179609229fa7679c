"""docs/inputs.md runs as it stands."""

import re
from pathlib import Path
from typing import Any

GUIDE = (Path(__file__).parent.parent / "docs" / "inputs.md").read_text()


def test_the_guide_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    network = names["network"]
    row = {"colour": "red", "length": 6.1}
    assert network.predict(row).label == "long"
    assert "length = 6.1 -> (6.1 - 5.4" in str(network.trace(row).neuron(0, 0))
