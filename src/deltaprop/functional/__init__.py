"""Arrays in, arrays out, no state: activations, losses and initializers, one registry row each."""
