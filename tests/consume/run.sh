#!/usr/bin/env bash
# run.sh BUILD: installs the library built in BUILD, moves the installed tree elsewhere, and there builds and runs the
# project beside this file: once through CMake, once through pkg-config where that is installed.
set -euo pipefail

build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" --component dev >"$work/install.log"
mv "$work/first" "$work/second"

cmake -S "$here" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/second" -DCMAKE_BUILD_TYPE=Release >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
"$work/build/consume"

if grep -rIlF "$work/first" "$work/second"; then
  echo "these installed files name the folder they were installed to" >&2
  exit 1
fi

if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/second" -name svdkit.pc)")
  export PKG_CONFIG_PATH
  # Word splitting is what pkg-config is made for; eval undoes its quoting of the version.
  eval "${CXX:-g++} $here/main.cpp -o $work/consume-pc $(pkg-config --cflags --libs svdkit)"
  LD_LIBRARY_PATH=$(dirname "$(find "$work/second" -name 'libsvdkit.*' | head -n 1)") "$work/consume-pc"
fi
