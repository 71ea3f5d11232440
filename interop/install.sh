#!/bin/sh
# What `make interop` needs besides Python: Debian's programs, and libraries of npm and Maven in peers/.
set -eu
cd "$(dirname "$0")/peers"

fail() {
    echo "interop: $1" >&2
    exit 1
}

missing=
for pair in tshark=tshark chromium=chromium node=nodejs npm=npm javac=default-jdk-headless mvn=maven; do
    command -v "${pair%=*}" >/dev/null || missing="$missing ${pair#*=}"
done
if [ -n "$missing" ]; then
    echo "interop: installing$missing"
    command -v apt-get >/dev/null || fail "please install$missing; this is no Debian, where it would be done here"
    root=
    [ "$(id -u)" = 0 ] || root=sudo
    { $root apt-get -qq update &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
    } || fail "apt-get could not install$missing"
fi

# Each folder is as new as the list by which it was filled.
if [ ! node_modules -nt package.json ]; then
    npm install --silent --no-save --no-package-lock --no-audit --no-fund || fail "npm could not install node-smpp"
    touch node_modules
fi
if [ ! jars -nt pom.xml ]; then
    mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=jars || fail "Maven could not fetch jSMPP"
    touch jars
fi
if [ ! classes -nt Jsmpp.java ]; then
    javac -d classes -cp 'jars/*' Jsmpp.java || fail "javac refuses Jsmpp.java"
    touch classes
fi
