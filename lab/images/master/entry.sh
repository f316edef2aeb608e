#!/bin/bash
# First process of the master node: keys made once, then sshd and the AWS API. The end of the API is the container's end.
set -u
state=/var/lib/hubspec-lab
install -d -m 700 "$state"
install -d -m 755 /run/sshd
ssh-keygen -A >/dev/null
if [ ! -e "$state/id" ]; then
  ssh-keygen -q -t ed25519 -N '' -C hubspec-lab -f "$state/id"
fi
install -d -m 700 -o hadoop -g hadoop /home/hadoop/.ssh
# What a login, a step and a bootstrap action find in their environment: the AWS API of this node.
env | grep '^AWS_' > /etc/environment
install -m 600 -o hadoop -g hadoop "$state/id.pub" /home/hadoop/.ssh/authorized_keys
/usr/sbin/sshd -D -e &
/opt/aws/bin/python /opt/aws/lab/aws.py &
aws=$!
trap 'kill "$aws"; exit 0' TERM INT
wait "$aws"
