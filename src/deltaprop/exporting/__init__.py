"""Whole table models in other worlds: what encodes their columns comes along."""
