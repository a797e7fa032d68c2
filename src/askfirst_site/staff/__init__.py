"""Pages for those who run a campaign; no rules of its own."""
