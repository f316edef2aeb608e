"""Index: the options, fixtures and reports of an audit live in `fixtures/`; its checks in `checks/`.

`fixtures.plugin` names every fixture file. Tests of the suite itself have their own conftest below `tests/`.
"""

pytest_plugins = ["fixtures.plugin"]
