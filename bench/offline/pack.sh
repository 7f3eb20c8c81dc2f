#!/usr/bin/env bash
# pack.sh [FOLDER]: all that it takes to run Shardbench on an x86-64 Linux GPU machine without Node and without a
# network, in FOLDER (default .gpu-bundle): the build, its production dependencies, Node, the Vulkan loader.
# There, `bash FOLDER/run.sh ARGS…` is shardbench, and `bash FOLDER/run.sh --exec FILE ARGS…` is node.
# Needs xz here and there; the loader's packages need apt-get here and dpkg there.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-.gpu-bundle}
mkdir -p "$out"

npm run -s build
rm -rf dist/offline
npx tsc -p bench/offline/tsconfig.json
# The compiled bench looks for these beside itself, as the sources do in the checkout.
for name in configs dist node_modules package.json shaders; do ln -s "../../$name" "dist/offline/$name"; done

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -r package.json dist shaders configs "$stage"/
# What runs there is linux-x64; the software adapter stays here.
npm ls --omit=dev --all --parseable 2> /dev/null | sed -n "s|^$PWD/||p" | grep -v sparticuz |
  while read -r package; do
    mkdir -p "$stage/$(dirname "$package")"
    cp -r "$package" "$stage/$package"
  done
find "$stage"/node_modules/webgpu/dist -mindepth 1 -maxdepth 1 ! -name linux-x64 -exec rm -rf {} +
tar -C "$stage" -cf - . | xz -6 -T0 > "$out"/app.tar.xz

node=$(readlink -f "$(command -v node)")
if [ ! -s "$out"/node.xz ] || [ "$node" -nt "$out"/node.xz ]; then
  strip -o "$stage"/node "$node" 2> /dev/null || cp "$node" "$stage"/node
  xz -6 -T0 -c "$stage"/node > "$out"/node.xz
fi

# The loader, and the libraries that NVIDIA's driver loads beside it; lists of our own, for we may not be root.
if ! compgen -G "$out/*.deb" > /dev/null; then
  mkdir -p "$stage"/lists/partial
  lists="-oDir::State::Lists=$stage/lists"
  (apt-get -qq "$lists" update && cd "$out" &&
    apt-get -qq "$lists" download libvulkan1 libegl1 libglvnd0 libopengl0 libgl1 libglx0 libgles2) > /dev/null 2>&1 ||
    echo "the Vulkan loader's packages could not be fetched: the GPU machine must have libvulkan1" >&2
fi

cp bench/offline/run.sh "$out"/run.sh
echo "$out, $(du -sh "$out" | cut -f1). With that folder on the GPU machine, run there:"
echo "  bash $out/run.sh --exec dist/offline/bench/offline/main.js --adapter gpu0 --out OUT [--minutes 8.5]"
