"""How numbers and formulas are written: ids, symbols, digits, and every notation."""
