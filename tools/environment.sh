#!/bin/sh
# Makes a virtual environment on a bare Debian or Ubuntu: environment.sh PYTHON FOLDER
# Debian's python3 comes without ensurepip; the package python3-venv brings it.
set -eu
python=$1
folder=$2

say() { printf '%s\n' "$*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Fyr needs Python 3.11 or newer; $python is $("$python" -V 2>&1)."
    say "Name another one: make PYTHON=python3.12"
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing python$version-venv, which Python needs to make an environment."
        apt-get update -qq
        apt-get install -y -qq "python$version-venv" >/dev/null
    else
        say "Python cannot make an environment here. Do this first, then try again:"
        say "    sudo apt-get install python$version-venv"
        exit 1
    fi
fi
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --upgrade 'pip>=24' 'setuptools>=77'
