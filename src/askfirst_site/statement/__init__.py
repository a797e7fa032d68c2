"""Statements: their texts, their signatures, and what became of them."""
