"""JupyterHub settings as EMR writes them, for the lab's hub container."""

c = get_config()  # noqa: F821

c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.port = 9443
c.JupyterHub.ssl_key = "/etc/jupyter/conf/server.key"
c.JupyterHub.ssl_cert = "/etc/jupyter/conf/server.crt"
c.JupyterHub.admin_access = True
c.JupyterHub.authenticator_class = "jupyterhub.auth.PAMAuthenticator"
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Authenticator.admin_users = {"jovyan"}
c.Spawner.debug = True
c.Spawner.environment = {"SPARKMAGIC_CONF_DIR": "/etc/jupyter/conf"}
