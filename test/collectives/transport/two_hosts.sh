#!/bin/sh
# Two hosts on one machine, as network namespaces with names of their own and a link between them. Needs root.
#
# two_hosts.sh up PREFIX              makes PREFIX-a (10.77.0.1) and PREFIX-b (10.77.0.2)
# two_hosts.sh down PREFIX            removes them
# two_hosts.sh on PREFIX HOST CMD…    runs a command there; HOST is a, b or its address
# PREFIX=… two_hosts.sh agent …       what MPI launchers call in the place of ssh: [options] HOST CMD…
set -eu

self=$(readlink -f "$0")

host_of() {
  case $1 in a | 10.77.0.1) echo a ;; b | 10.77.0.2) echo b ;; *) exit 1 ;; esac
}

case $1 in
  up)
    for host in a b; do ip netns add "$2-$host"; done
    ip link add "$2-a" netns "$2-a" type veth peer name "$2-b" netns "$2-b"
    for host in a b; do
      ip -n "$2-$host" link set lo up
      ip -n "$2-$host" link set "$2-$host" up
    done
    ip -n "$2-a" address add 10.77.0.1/24 dev "$2-a"
    ip -n "$2-b" address add 10.77.0.2/24 dev "$2-b"
    ;;
  down)
    for host in a b; do ip netns delete "$2-$host"; done
    ;;
  on)
    prefix=$2
    host=$(host_of "$3")
    shift 3
    export PREFIX="$prefix"
    exec ip netns exec "$prefix-$host" unshare --uts sh -c 'hostname "$0" && exec "$@"' "$prefix-$host" "$@"
    ;;
  agent)
    shift
    while [ "${1#-}" != "$1" ]; do shift; done
    host=$1
    shift
    exec "$self" on "$PREFIX" "$host" sh -c "$*"
    ;;
esac
