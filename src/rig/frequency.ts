/** Reads every clock of a Linux device that can be scaled, one line each. A constant, as {@link READ_TEMPERATURES} is. */
export const READ_FREQUENCIES: readonly string[] = [
  "sh",
  "-c",
  [
    "for f in /sys/devices/system/cpu/cpufreq/policy*; do",
    'echo "kHz|cpu $(cat "$f/related_cpus" 2>/dev/null)|$(cat "$f/scaling_cur_freq" 2>/dev/null)|$(cat "$f/scaling_max_freq" 2>/dev/null)"; done;',
    "for f in /sys/class/devfreq/*; do",
    'echo "Hz|$(basename "$f")|$(cat "$f/cur_freq" 2>/dev/null)|$(cat "$f/max_freq" 2>/dev/null)"; done; :',
  ].join(" "),
];

/** One clock of a device: how fast it runs, and the cap in force. */
export interface Frequency {
  readonly name: string;
  readonly now_hz: number;
  readonly cap_hz: number;
}

/** @param output of {@link READ_FREQUENCIES}. A clock that cannot be read is left out. */
export function frequenciesOf(output: string): readonly Frequency[] {
  return [...output.matchAll(/^(kHz|Hz)\|([^|]*)\|(\d+)\|(\d+)$/gm)].map(([, unit, name = "", now, cap]) => {
    const hz = unit === "kHz" ? 1000 : 1;
    return { name: name.trim(), now_hz: Number(now) * hz, cap_hz: Number(cap) * hz };
  });
}
