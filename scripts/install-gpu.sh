#!/usr/bin/env bash
# CUDA for recycled NVIDIA cards on Linux: looks at everything first and changes nothing unless asked.
#
#   scripts/install-gpu.sh           says what is there, what is missing and what would be done
#   scripts/install-gpu.sh --apply   does it: CUDA 12 and cuDNN 9 libraries (apt, where NVIDIA's
#                                    repository is set up), onnxruntime's CUDA provider
#
# The driver is never touched: a wrong one can leave a machine without a screen.
# Exit code: 0 all is ready, 1 something is to be done, 2 it cannot work here, 64 wrong use.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ort="$root/node_modules/onnxruntime-node"
oldest_driver=525.60.13   # CUDA 12 on Linux
last_pascal_branch=580    # the last driver branch with Maxwell, Pascal and Volta
last_pascal_cudnn=9.10    # cuDNN 9.11 left them out
cudnn_package=libcudnn9-cuda-12
cudnn_version=9.10.2.21-1

apply=''
case "${1:---check}" in
  --check) ;;
  --apply) apply=1 ;;
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *)
    echo "usage: scripts/install-gpu.sh [--check | --apply]" >&2
    exit 64
    ;;
esac

todo=()
impossible=''
say() { printf '%-5s %-9s %s\n' "$1" "$2" "$3"; }
ok() { say ok "$1" "$2"; }
must() {
  say todo "$1" "$2"
  todo+=("$1")
}
cannot() {
  say no "$1" "$2"
  impossible=1
}
# Whether version $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_platform() {
  local system machine
  system=$(uname -s)
  machine=$(uname -m)
  if [ "$system" = Linux ] && [ "$machine" = x86_64 ]; then
    ok platform 'Linux on x86_64'
  else
    cannot platform "$system on $machine: the CUDA provider of onnxruntime-node is for Linux on x86_64 (docs/gpu.md names WebGPU and DirectML)"
  fi
}

# Sets driver and capability (the oldest card's; empty where the driver does not tell).
driver='' capability=''
check_driver() {
  local answer names
  if ! command -v nvidia-smi >/dev/null; then
    cannot driver "no nvidia-smi: install the NVIDIA driver, branch 535 to $last_pascal_branch (Debian: nvidia-driver, Ubuntu: nvidia-driver-535), and restart"
    return
  fi
  if ! answer=$(timeout 30 nvidia-smi --query-gpu=driver_version,name --format=csv,noheader 2>&1); then
    cannot driver "nvidia-smi fails: ${answer%%$'\n'*}"
    return
  fi
  driver=${answer%%,*}
  names=$(printf '%s\n' "$answer" | sed 's/^[^,]*, *//' | paste -sd ';' -)
  if ! at_least "$driver" "$oldest_driver"; then
    cannot driver "$driver is too old for CUDA 12: $oldest_driver or newer is needed. Kepler cards (GTX 6xx, 7xx) end with 470 and cannot run it"
    return
  fi
  ok driver "$driver"
  ok card "$names"
  capability=$(timeout 30 nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | sort -V | head -n 1 || true)
  if [[ ! $capability =~ ^[0-9]+\.[0-9]+$ ]]; then
    capability=''
    ok compute 'the driver does not tell the compute capability'
  elif ! at_least "$capability" 6.0; then
    cannot compute "$capability: this build has kernels from 6.0 on (Pascal: GTX 10xx, P4, P40)"
  else
    ok compute "$capability"
  fi
}

check_onnxruntime() {
  local version
  if [ ! -f "$ort/package.json" ]; then
    cannot runtime "no $ort: run npm ci first"
    return
  fi
  version=$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$ort/package.json" | head -n 1)
  case $version in
    1.24.* | 1.25.* | 1.26.*) ok runtime "onnxruntime-node $version, a CUDA 12 build" ;;
    *) cannot runtime "onnxruntime-node $version: run npm ci; later ones are built for CUDA 13, which has no kernels for Pascal" ;;
  esac
}

# File name of a library the loader would find, or nothing.
library() { ldconfig -p 2>/dev/null | awk -v name="$1" '$1 == name { print $NF; exit }'; }

missing_libraries=()
check_libraries() {
  local name
  for name in libcudart.so.12 libcublas.so.12 libcublasLt.so.12 libcufft.so.11 libcurand.so.10; do
    [ -n "$(library "$name")" ] || missing_libraries+=("$name")
  done
  if [ "${#missing_libraries[@]}" = 0 ]; then ok cuda 'the CUDA 12 libraries are installed'; else
    must cuda "missing: ${missing_libraries[*]}"
  fi
}

check_cudnn() {
  local file version
  file=$(library libcudnn.so.9)
  if [ -z "$file" ]; then
    must cudnn "libcudnn.so.9 is missing: $cudnn_package=$cudnn_version has kernels for Pascal"
    return
  fi
  version=$(basename "$(readlink -f "$file")")
  version=${version#libcudnn.so.}
  if [ -n "$capability" ] && ! at_least "$capability" 7.5 && at_least "$version" 9.11; then
    must cudnn "$version has no kernels for compute capability $capability: $last_pascal_cudnn is the last that has"
  else
    ok cudnn "$version"
  fi
}

check_provider() {
  local file="$ort/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so"
  if [ -f "$file" ]; then ok provider 'the CUDA provider is installed'; else
    must provider "the CUDA provider is not part of npm ci; --apply downloads it from NuGet, as onnxruntime's own installer does"
  fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# The newest CUDA 12 minor whose libraries apt knows, such as 12-8.
apt_minor() {
  command -v apt-cache >/dev/null || return 0
  apt-cache search --names-only '^cuda-cudart-12-[0-9]+$' 2>/dev/null | awk '{ print $1 }' |
    sed 's/^cuda-cudart-//' | sort -V | tail -n 1
}

install_libraries() {
  local minor packages=()
  minor=$(apt_minor)
  if [ -z "$minor" ]; then
    echo 'apt does not know the CUDA 12 packages. Set up the repository that NVIDIA names for your system'
    echo '(https://developer.nvidia.com/cuda-downloads, "deb (network)"), then run this again.'
    return 1
  fi
  case " ${todo[*]} " in *' cuda '*) packages+=("cuda-cudart-$minor" "libcublas-$minor" "libcufft-$minor" "libcurand-$minor") ;; esac
  case " ${todo[*]} " in *' cudnn '*) packages+=("$cudnn_package=$cudnn_version") ;; esac
  if [ "${#packages[@]}" -gt 0 ]; then
    as_root apt-get install --yes --no-install-recommends --allow-downgrades "${packages[@]}"
    # Upgrades would bring a cuDNN without kernels for these cards.
    case " ${todo[*]} " in *' cudnn '*) as_root apt-mark hold "$cudnn_package" ;; esac
    as_root ldconfig
  fi
}

install_provider() {
  ONNXRUNTIME_NODE_INSTALL=cuda12 node "$ort/script/install.js"
}

check_platform
check_driver
check_onnxruntime
check_libraries
check_cudnn
check_provider

if [ -n "$impossible" ]; then
  echo 'CUDA cannot be used here before what is marked "no" is mended. Nothing was changed.'
  exit 2
fi
if [ "${#todo[@]}" = 0 ]; then
  echo 'All is ready: set inference.providers to [cuda, cpu] and run huancai doctor.'
  exit 0
fi
if [ -z "$apply" ]; then
  echo "To be done: ${todo[*]}. Nothing was changed; run scripts/install-gpu.sh --apply to do it."
  exit 1
fi
case " ${todo[*]} " in *' cuda '* | *' cudnn '*) install_libraries || exit 1 ;; esac
case " ${todo[*]} " in *' provider '*) install_provider ;; esac
echo 'Done. Set inference.providers to [cuda, cpu] and run huancai doctor.'
