"""Media to fingerprints: one file a medium, each algorithm versioned by name, frozen, and published with vectors."""
