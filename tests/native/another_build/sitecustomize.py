"""Makes Python load ``deltaprop._native`` from the file that DELTAPROP_NATIVE names.

Found by way of PYTHONPATH, so that processes that a test starts load it too.
"""

import importlib.util
import os
import sys


class AnotherBuild:
    """Finds one module, elsewhere."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return where the module is, or None for any other."""
        if name == "deltaprop._native":
            return importlib.util.spec_from_file_location(name, os.environ["DELTAPROP_NATIVE"])
        return None


if "DELTAPROP_NATIVE" in os.environ:
    sys.meta_path.insert(0, AnotherBuild)
