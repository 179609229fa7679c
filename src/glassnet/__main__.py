"""`python -m glassnet` is the command `glassnet`."""

from glassnet.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
