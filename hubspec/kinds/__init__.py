"""The kinds, by name. They do no I/O and do not know each other."""

from hubspec.kind import Kind
from hubspec.kinds import (
    cluster,
    config,
    container,
    file,
    hub,
    hub_group,
    hub_token,
    hub_user,
    kernel,
    package,
    proxy,
    route,
    server,
    service,
    step,
    user,
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        container.KIND,
        user.KIND,
        package.KIND,
        kernel.KIND,
        file.KIND,
        config.KIND,
        hub.KIND,
        hub_user.KIND,
        hub_group.KIND,
        hub_token.KIND,
        service.KIND,
        server.KIND,
        route.KIND,
        proxy.KIND,
        step.KIND,
        cluster.KIND,
    )
}
"""In the order in which a report shows them and a fix would need them."""
