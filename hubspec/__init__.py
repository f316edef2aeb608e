"""hubspec: is a JupyterHub on Amazon EMR what it was declared to be? The library; it never imports pytest."""

__version__ = "0.1.0"
