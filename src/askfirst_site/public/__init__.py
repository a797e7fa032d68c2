"""Pages for everybody, in every language, and the API; no rules of its own."""
