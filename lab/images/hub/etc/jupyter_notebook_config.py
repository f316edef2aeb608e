"""Notebook server settings for every user. EMR puts S3 persistence here; the lab keeps notebooks in /home."""

c = get_config()  # noqa: F821

c.NotebookApp.open_browser = False
c.MappingKernelManager.cull_idle_timeout = 3600
