"""What is said about a step, in order: blocks that every renderer writes down."""
