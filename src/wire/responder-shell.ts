/** Exit code of a responder that cannot read its clock here. */
export const UNABLE = 3;

/** What differs between two ways a shell can read CLOCK_REALTIME. */
interface ShellClock {
  readonly method: string;
  /** What the shell puts in the place of a stamp. */
  readonly stamp: string;
  /** The same for the second stamp of a pong. */
  readonly sent: string;
  /** Exits where a stamp is not what it should be. */
  readonly check: string;
  readonly resolution_s: number;
  readonly forks: boolean;
  /** Readings after which an uptime that does not change is taken to stand still; it changes every 10 ms. */
  readonly mostReadings: number;
}

/**
 * Pongs on CLOCK_REALTIME, the only one that a shell can read finer than 10 ms. It may be set, which shows as a step.
 *
 * `tie` reads /proc/uptime, which is CLOCK_BOOTTIME cut to 10 ms, until it changes. The clock reached what it shows
 * then between the stamp before the last unchanged reading and the stamp after the changed one, however long either took.
 *
 * Builtins alone, beside the stamp: nothing else forks. No arithmetic on stamps, because mksh counts in 32 bits.
 */
const shell = ({ method, stamp, sent, check, resolution_s, forks, mostReadings }: ShellClock): string => `
LC_ALL=C
export LC_ALL
${check}
ties='"realtime"'
if read -r uptime rest 2>/dev/null </proc/uptime; then ties=$ties,'"boottime"'; fi
tie() {
  from=${stamp}
  read -r before rest </proc/uptime || return
  readings=0
  while next=${stamp}; read -r uptime rest </proc/uptime && [ "$uptime" = "$before" ]; do
    from=$next
    readings=$((readings + 1))
    [ $readings -lt ${mostReadings} ] || return
  done
  told=",\\"realtime_from_s\\":$from,\\"realtime_to_s\\":${stamp},\\"boottime_s\\":$uptime"
}
echo "{\\"type\\":\\"clock\\",\\"clock\\":\\"realtime\\",\\"method\\":\\"${method}\\",\\"resolution_s\\":${resolution_s},\\"forks\\":${forks},\\"ties\\":[$ties]}"
while IFS= read -r line; do
  received=${stamp}
  case $line in
    'ping '*)
      id=\${line#ping }
      case $id in
        '' | *[!0-9]* | 0?* | ????????????????*) ;;
        *) echo "{\\"type\\":\\"pong\\",\\"id\\":$id,\\"received_s\\":$received,\\"sent_s\\":${sent}}" ;;
      esac ;;
    tie)
      told=
      case $ties in *boottime*) tie ;; esac
      echo "{\\"type\\":\\"tie\\"$told}" ;;
  esac
done
exit 0
`;

/** A variable of that name that was inherited, in a shell that knows no such clock, stands still. */
export const EPOCHREALTIME_PROGRAM = shell({
  method: "epochrealtime",
  stamp: "$EPOCHREALTIME",
  sent: "$EPOCHREALTIME",
  check: `first=$EPOCHREALTIME
case $first in *[!0-9.]* | *.*.*) exit ${UNABLE} ;; [0-9]*.??????) ;; *) exit ${UNABLE} ;; esac
tries=0
while [ "$first" = "$EPOCHREALTIME" ]; do
  tries=$((tries + 1))
  [ $tries -lt 1000 ] || exit ${UNABLE}
done`,
  resolution_s: 1e-6,
  forks: false,
  mostReadings: 100_000,
});

/** A stamp is a process: one serves both ends of a pong, because a second would only take longer. */
export const DATE_PROGRAM = shell({
  method: "date",
  stamp: "$(date +%s.%N)",
  sent: "$received",
  check: `first=$(date +%s.%N)
case $first in *[!0-9.]* | *.*.*) exit ${UNABLE} ;; [0-9]*.?????????) ;; *) exit ${UNABLE} ;; esac`,
  resolution_s: 1e-9,
  forks: true,
  mostReadings: 1000,
});
