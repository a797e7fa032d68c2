"""Suites anybody can run: material, transformations of it, look-alikes, and how recall is counted."""
