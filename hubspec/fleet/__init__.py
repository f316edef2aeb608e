"""Room of many clusters: each audited by a run of its own, and the reports of all joined into one."""
