"""Index: no fixtures; hypothesis tries the same examples each time. `--hypothesis-profile=explore` tries new ones."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit",
    max_examples=60,
    deadline=None,  # the machine may be busy
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # a tmp_path may be shared: each example rewrites its file
)
settings.register_profile("explore", settings.get_profile("unit"), max_examples=2000, derandomize=False)
settings.load_profile("unit")
