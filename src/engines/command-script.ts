/** Exit code of the script when the device's shell can tell no time of day to the microsecond. */
export const NO_CLOCK = 78;

/**
 * Runs a program on the device and says when it began and ended, by the device's own time of day, so that the link does
 * not count. Arguments: the request and the unit as JSON texts, the count, then the program's own argument vector.
 *
 * An empty line comes before the last: a program may leave its own last line open.
 *
 * The shell's `$EPOCHREALTIME` (mksh, bash, busybox) costs no process; `date` does. mksh prints by `print`, because its
 * `printf` is a process, too. The program is in the background so that a signal that ends the script can end it first.
 */
export const COMMAND_SCRIPT = `
request=$1 unit=$2 count=$3
shift 3
if [ -n "\${EPOCHREALTIME:-}" ]; then now() { t=$EPOCHREALTIME; t=\${t%[.,]*}.\${t##*[.,]}; }
else now() { t=$(date +%s.%N); }; fi
if [ -n "\${KSH_VERSION:-}" ]; then put() { print -r -- "$1"; }
else put() { printf '%s\\n' "$1"; }; fi
child=
end() { kill -TERM "$child"; sleep 0.4; kill -KILL "$child"; } 2>/dev/null
trap 'trap "" TERM HUP INT; [ -z "$child" ] || end; exit 143' TERM HUP INT
now
case $t in *[!0-9.]*|'') echo 'this shell has no $EPOCHREALTIME, and its date no %N' >&2; exit ${NO_CLOCK};; esac
put "{\\"type\\":\\"unit_start\\",\\"time_s\\":$t,\\"realtime_s\\":$t,\\"request\\":$request,\\"unit\\":$unit}"
"$@" </dev/null &
child=$!
wait "$child"
code=$?
now
if [ "$code" -eq 0 ]; then how="\\"count\\":$count"; else how='"outcome":"crash"'; fi
put ""
put "{\\"type\\":\\"unit_end\\",\\"time_s\\":$t,\\"realtime_s\\":$t,\\"request\\":$request,\\"unit\\":$unit,$how}"
exit "$code"
`;
