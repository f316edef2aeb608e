#!/bin/bash
# First process of the hub container. It puts the settings in place once, then keeps one hub running.
# The hub's end is the container's end, as on EMR, so that the restart policy acts; only while /run/hub.hold
# exists (the lab's `hub-down` break) does the container stay up without a hub.
set -u
conf=/etc/jupyter/conf
log=/var/log/jupyter/jupyter.log

settle() {
  [ -e "$conf" ] && return
  install -d -m 755 /etc/jupyter "$conf.new"
  install -m 644 /opt/lab/etc/jupyterhub_config.py /opt/lab/etc/config.json "$conf.new/"
  install -m 644 /opt/lab/etc/jupyter_notebook_config.py /etc/jupyter/
  (umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 825 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,DNS:emr-master,IP:127.0.0.1 \
    -keyout "$conf.new/server.key" -out "$conf.new/server.crt" 2>/dev/null)
  chmod 644 "$conf.new/server.crt"
  mv "$conf.new" "$conf"
}

stop() {
  [ -n "${hub:-}" ] && kill -CONT "$hub" && kill -TERM "$hub"
  wait "${hub:-}"
  exit 0
}

trap stop TERM INT
rm -f /run/hub.hold
install -d -m 755 /var/log/jupyter
rm -rf "$conf.new"
settle
install -d -m 755 -o jovyan -g users /home/jovyan
cd /home/jovyan || exit 1
while true; do
  /opt/conda/bin/jupyterhub -f "$conf/jupyterhub_config.py" > >(tee -a "$log") 2>&1 &
  hub=$!
  echo "$hub" > /run/jupyterhub.pid
  wait "$hub"
  code=$?
  hub=
  # JupyterHub 0.8 cannot stop its proxy on a tornado newer than its own; what is left would refuse the next hub.
  pkill -f /configurable-http-proxy
  [ -e /run/hub.hold ] || exit "$code"
  while [ -e /run/hub.hold ]; do sleep 0.2; done
done
