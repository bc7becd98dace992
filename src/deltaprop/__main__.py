"""``python -m deltaprop`` is the same as ``deltaprop``."""

import sys

from deltaprop.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
