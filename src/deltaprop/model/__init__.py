"""The network, its parameters, and back-propagation: readable, in NumPy float64."""
