"""The doors: the only room with I/O. It knows no kinds."""

from hubspec.cluster.quiet import hush

hush()
