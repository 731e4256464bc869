#!/usr/bin/env bash
# Installs the Debian packages that the tests need, and says which and why.
# Does nothing where all of them are present. Measuring needs none of them.
set -euo pipefail

# package | why
readonly PACKAGES='
gcc-avr       | compiles the bridge firmware: the committed .hex must be what the sources give
binutils-avr  | links it and writes the .hex
avr-libc      | the C library and register names of the ATmega328P
gcc           | compiles the firmware'\''s frame encoder for this host: golden frames
libc6-dev     | headers for the same
make          | runs the firmware'\''s Makefile
perl-base     | hangs up a pseudo terminal (TIOCVHANGUP) as an unplugged device does
socat         | pseudo terminals between the emulated bridge and the serial port driver
influxdb      | the real database that the InfluxDB sink is tested against
adb           | the real adb server and client, in front of the stand-in Android device
mksh          | the stand-in Android device'\''s shell: the family of Android'\''s own
toybox        | its tools, as on Android
busybox       | a third shell that devices have
openssh-server | the real sshd of the stand-in Jetson and Raspberry Pi
openssh-client | the system'\''s ssh, for the transport that uses it, and for keys
libusbmuxd-tools | the real iproxy in front of the stand-in usbmuxd
python3       | answers clock pings on devices that have it
iproute2      | a network of its own for each test that takes a link down
'

say() { printf 'test packages: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

missing=()
while IFS='|' read -r name why; do
  name=${name// /}
  [ -n "$name" ] || continue
  status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
  [ "$status" = installed ] && continue
  missing+=("$name")
  say "missing: $name:$why"
done <<<"$PACKAGES"

if [ ${#missing[@]} -eq 0 ]; then
  say "all present, nothing to do"
  exit 0
fi

command -v apt-get >/dev/null || fail "this is not Debian; install what the list above names, by the means of your system, and run the tests with: npm test"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "installing needs root and there is no sudo; run as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

# Tests start their own influxd with their own files; the packaged service must not start beside it.
# policy-rc.d is Debian's way to say so. An existing one belongs to the machine's owner and stays.
readonly POLICY=/usr/sbin/policy-rc.d
if [ ! -e "$POLICY" ]; then
  trap '"${as_root[@]}" rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$POLICY" >/dev/null
  "${as_root[@]}" chmod 755 "$POLICY"
fi

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

say "installing: ${missing[*]}"
# Lists may be absent or older than the archive; only then is it worth fetching them.
if ! install; then
  say "updating the package lists and trying once more"
  "${as_root[@]}" apt-get update --quiet
  install || fail "apt-get could not install them; its reason stands above"
fi
say "done"
