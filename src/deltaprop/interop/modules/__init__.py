"""What of PyTorch is loaded where it is used: networks as modules, and modules read."""
