#!/usr/bin/env bash
# run.sh ARGS…: unpacks what lies beside it, once, and runs shardbench with ARGS; after --exec, node.
# Relative paths in ARGS are of the folder it was called in, except for FILE after --exec.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
app=${SHARDBENCH_BUNDLE:-${TMPDIR:-/tmp}/shardbench-bundle-$(id -u)}
if [ ! -e "$app"/unpacked ] || [ "$here"/app.tar.xz -nt "$app"/unpacked ]; then
  rm -rf "$app"
  mkdir -p "$app"
  if ! ldconfig -p 2> /dev/null | grep -q 'libvulkan\.so\.1'; then
    # Into a folder of its own, which needs no rights.
    for package in "$here"/*.deb; do [ -e "$package" ] && dpkg -x "$package" "$app"/loader; done
  fi
  xz -dc "$here"/node.xz > "$app"/node
  chmod +x "$app"/node
  xz -dc "$here"/app.tar.xz | tar -C "$app" -xf -
  touch "$app"/unpacked
fi
if [ -d "$app"/loader ]; then
  export LD_LIBRARY_PATH="$app/loader/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# Where containers get the driver from, its manifest is not where loaders look.
manifest=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -e "$manifest" ]; then
  export VK_DRIVER_FILES=$manifest VK_ICD_FILENAMES=$manifest
fi
export PATH="$app:$PATH"
if [ "${1:-}" = --exec ]; then
  file=$2
  shift 2
  case $file in /*) ;; *) file=$app/$file ;; esac
  exec "$app"/node "$file" "$@"
fi
exec "$app"/node "$app"/dist/cli/main.js "$@"
