"""How an ONNX graph of somebody else is read: its file, its nodes, and what layers they are."""
