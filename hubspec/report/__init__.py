"""One file for each format, each a function over the records of a run."""
