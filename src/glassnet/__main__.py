"""The command `glassnet`, which `python -m glassnet` is, too."""

import sys


def command() -> int:
    """Run the command line of this process and give its exit status."""
    try:
        from glassnet.cli import main  # here, so that Ctrl-C while modules are imported ends it as at any other time

        return main()
    except KeyboardInterrupt:
        print("glassnet: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(command())
