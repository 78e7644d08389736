"""``python -m chatferry`` is ``chatferry``."""

from chatferry.cli import main

if __name__ == "__main__":
    main()
