"""Real faults for real processes: a line that breaks at a byte, and places where a process dies."""
