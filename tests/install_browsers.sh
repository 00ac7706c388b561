#!/bin/sh
# Install what the tests need beside Python: Node.js, Chromium, a C compiler, zsh and fish; with `all`, Firefox
# and WebKit too.
# Says what it could not.
set -u

missing=""
want() { # command, package…
  command=$1; shift
  command -v "$command" >/dev/null 2>&1 || missing="$missing $*"
}

want cc gcc libc6-dev
want node nodejs
want npm npm
want zsh zsh
want fish fish
want chromium chromium fonts-dejavu-core
want chromium-headless-shell chromium-headless-shell
want chromedriver chromium-driver
if [ "${1-}" = all ]; then
  want firefox-esr firefox-esr
  want WebKitWebDriver webkit2gtk-driver
  want Xvfb xvfb
fi
[ -z "$missing" ] && exit 0

run=""
[ "$(id -u)" = 0 ] || run="sudo -n"
echo "installing for the tests:$missing"
$run apt-get update -qq >/dev/null &&
  DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing \
    >/dev/null && exit 0
echo "could not install:$missing" >&2
echo "The tests cannot run without. As root: apt-get install$missing" >&2
exit 1
