"""The staff pages, a file for each part of the work. Views hold no rules: those are in the actions."""
