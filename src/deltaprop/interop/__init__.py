"""Networks in other worlds: PyTorch, scikit-learn, ONNX, SQL, C, scripts."""
