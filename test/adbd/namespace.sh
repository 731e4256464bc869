#!/bin/sh
# Lays out the root of a phone and stays in it: /data, /system and /sys are the phone's, everything else is this machine's.
# Its mounts and processes are seen by nobody else and end with it: it is process 1 there.
# usage: unshare --mount --pid --fork --kill-child=KILL --mount-proc sh namespace.sh ROOT
set -eu
root=$1/root
mkdir "$root" 2>/dev/null || true
mount -t tmpfs tmpfs "$root"
for each in /*; do
  case $each in /sys | /data | /system | /lost+found) continue ;; esac
  if [ -L "$each" ]; then
    cp -P "$each" "$root$each"
  elif [ -d "$each" ]; then
    mkdir "$root$each"
    mount --rbind "$each" "$root$each"
  fi
done
for each in sys data system; do
  mkdir "$root/$each"
  mount --bind "$1/$each" "$root/$each"
done
mount --bind "$1/boot_id" "$root/proc/sys/kernel/random/boot_id"
exec chroot "$root" /usr/bin/mksh -c 'echo ready; while :; do sleep 3600; done'
