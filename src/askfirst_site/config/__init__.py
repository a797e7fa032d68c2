"""Settings, addresses, servers: the top room, which knows all others."""
