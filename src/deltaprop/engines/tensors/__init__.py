"""The reference's equations worked out on tensors of PyTorch; to import it loads PyTorch."""
