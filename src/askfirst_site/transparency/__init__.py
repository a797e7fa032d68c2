"""The log: entries wait, one sequencer numbers them, signs the checkpoint and publishes the tiles."""
