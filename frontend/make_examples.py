"""Trains the networks that come with the page, on the bundled digits; one machine gives the same files each time.

    python frontend/make_examples.py

Two of one structure (sigmoid) differ in their seed only, so that there is something to compare from the start.
"""

from pathlib import Path

import glassnet as gn

FOLDER = Path(__file__).parent.parent / "src" / "glassnet" / "web" / "examples"
EXAMPLES = {"digits-sigmoid": ("sigmoid", 1), "digits-relu": ("relu", 1), "digits-sigmoid-2": ("sigmoid", 2)}
"""Their names, the squish of their hidden layers, their seeds."""


def main() -> None:
    train, test = gn.data.digits()
    for name, (squish, seed) in EXAMPLES.items():
        start = gn.Network.create("784-16-16-10", squish, output="softmax", seed=seed)
        network = gn.train(start, train, validation=test, epochs=30, l2=1e-4, seed=seed).network
        network.save(FOLDER / f"{name}.safetensors")
        print(f"{name}: {gn.evaluate(network, test).accuracy:.2%} of the test digits")


if __name__ == "__main__":
    main()
