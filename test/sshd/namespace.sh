#!/bin/sh
# Runs a command where the files of a device stand at their absolute paths. Its mounts and processes are seen by
# nobody else, and all of them end with it: the command is process 1.
# usage: unshare --mount --pid --fork --kill-child=KILL --mount-proc sh namespace.sh ROOT COMMAND...
set -eu
root=$1
shift
mount -t overlay overlay -o "lowerdir=$root/etc:/etc" /etc
mount --bind "$root/sys" /sys
mount --bind "$root/boot_id" /proc/sys/kernel/random/boot_id
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
exec "$@"
