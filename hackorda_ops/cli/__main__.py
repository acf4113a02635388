"""`python -m hackorda_ops.cli` is the same as `hackorda-ops`."""

from hackorda_ops.cli import main

if __name__ == "__main__":
    main()
