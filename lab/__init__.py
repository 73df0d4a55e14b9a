"""The lab: the whole shop on one machine, to run it, compare modes, break it and watch it."""
