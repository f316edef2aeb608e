"""Room of `python -m hubspec doctor`: what is checked, in which order, and how it is told. What does the I/O is in `cluster/`."""
