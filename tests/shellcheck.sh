#!/bin/sh
# The tests of shell commands need shellcheck. Where it is missing and we may install it, say so and do; else they skip.
command -v shellcheck >/dev/null 2>&1 && exit 0
[ "${HUBSPEC_INSTALL_ENGINE:-1}" = 0 ] && exit 0
command -v apt-get >/dev/null 2>&1 || exit 0
if [ "$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo=sudo; else exit 0; fi
echo 'installing Debian'"'"'s shellcheck for the tests of shell commands (HUBSPEC_INSTALL_ENGINE=0 refuses)'
$sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends shellcheck >/dev/null
