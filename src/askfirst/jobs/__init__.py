"""The long jobs, put together from the rooms below: build a register, audit a dataset, look at one thing."""
