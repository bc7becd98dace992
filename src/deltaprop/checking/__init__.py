"""The mistakes people make, a step by rules that can be wrong, and the referee of gradients."""
