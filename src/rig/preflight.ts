import { type Check, type CheckName, isRequired } from "./conditions.ts";

/** Reads what a cell's checks need, on Linux and on Android. A constant, as {@link READ_TEMPERATURES} is. */
export const READ_CONDITIONS: readonly string[] = [
  "sh",
  "-c",
  [
    "for f in /sys/class/power_supply/*; do",
    'echo "supply|$(cat "$f/type" 2>/dev/null)|$(cat "$f/status" 2>/dev/null)|$(cat "$f/capacity" 2>/dev/null)"; done;',
    'for f in /sys/devices/system/cpu/cpufreq/policy*; do echo "governor|$(cat "$f/scaling_governor" 2>/dev/null)"; done;',
    'for f in /sys/class/rfkill/rfkill*; do echo "radio|$(cat "$f/soft" 2>/dev/null)|$(cat "$f/hard" 2>/dev/null)"; done;',
    'for f in /sys/class/backlight/*; do echo "backlight|$(cat "$f/bl_power" 2>/dev/null)"; done;',
    'echo "load|$(cat /proc/loadavg 2>/dev/null)"; grep MemAvailable /proc/meminfo 2>/dev/null;',
    'if command -v settings >/dev/null 2>&1; then echo "airplane|$(settings get global airplane_mode_on 2>/dev/null)"; fi;',
    "if command -v dumpsys >/dev/null 2>&1; then dumpsys power 2>/dev/null | grep mWakefulness=; dumpsys battery 2>/dev/null; fi; :",
  ].join(" "),
];

/** Each check as it was found, as text; `unknown` where the device does not say. */
export type Conditions = Readonly<Record<CheckName, string>>;

const UNKNOWN = "unknown";

/** @param output of {@link READ_CONDITIONS}; empty where there is no device to ask */
export function conditionsOf(output: string): Conditions {
  const first = (pattern: RegExp): string | undefined => pattern.exec(output)?.[1]?.trim() || undefined;
  const all = (pattern: RegExp): string[] => [...output.matchAll(pattern)].map((match) => match[1]!.trim()).filter((text) => text !== "");
  const kilobytes = first(/^MemAvailable:\s+(\d+) kB$/m);
  return {
    charging: chargingOf(output),
    airplane_mode: airplaneOf(first(/^airplane\|(.*)$/m), output),
    screen: screenOf(first(/mWakefulness=(\w+)/), all(/^backlight\|(.*)$/gm)),
    governor: [...new Set(all(/^governor\|(.*)$/gm))].toSorted().join(", ") || UNKNOWN,
    load: number(first(/^load\|(\S+)/m)),
    free_memory_bytes: kilobytes === undefined ? UNKNOWN : String(Number(kilobytes) * 1024),
    battery_percent: number(first(/^\s+level: (\d+)$/m) ?? first(/^supply\|Battery\|[^|]*\|(\d+)$/m)),
  };
}

const number = (text: string | undefined): string => (text !== undefined && Number.isFinite(Number(text)) ? text : UNKNOWN);

/** Android's status 2 is charging, 3 and 4 are not, and 5 is full: a cable that is plugged in feeds the device then, too. A service whose updates were stopped says what it was told to. */
function chargingOf(output: string): string {
  if (output.includes("UPDATES STOPPED")) return UNKNOWN;
  const status = /^\s+status: (\d)$/m.exec(output)?.[1];
  if (status === "5" && /^\s+\w+ powered: true$/m.test(output)) return "yes";
  if (status !== undefined) return status === "2" ? "yes" : status === "1" ? UNKNOWN : "no";
  const supply = /^supply\|Battery\|([^|]*)\|/m.exec(output)?.[1]?.trim();
  if (!supply || supply === "Unknown") return UNKNOWN;
  return supply === "Charging" ? "yes" : "no";
}

/** Android says it; elsewhere every radio must be blocked. A machine without radios is not in a mode. */
function airplaneOf(setting: string | undefined, output: string): string {
  if (setting === "0" || setting === "1") return setting === "1" ? "yes" : "no";
  const radios = [...output.matchAll(/^radio\|(\d)\|(\d)$/gm)];
  if (radios.length === 0) return UNKNOWN;
  return radios.every(([, soft, hard]) => soft === "1" || hard === "1") ? "yes" : "no";
}

function screenOf(wakefulness: string | undefined, backlights: readonly string[]): string {
  if (wakefulness !== undefined) return wakefulness === "Awake" ? "on" : "off";
  if (backlights.length === 0) return UNKNOWN;
  return backlights.some((each) => each === "0") ? "on" : "off";
}

/** The checks of a plan as found, for the record. */
export const recorded = (checks: readonly Check[], found: Conditions): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ check }) => [check, found[check]]));

/** Required checks that do not hold, one sentence each; what is unknown does not hold. */
export function unmetChecks(checks: readonly Check[], found: Conditions): string[] {
  return checks.filter(isRequired).flatMap((each) => {
    const value = found[each.check];
    return holds(each, value) ? [] : [`${each.check} is ${value}, and the plan wants ${wanted(each)}`];
  });
}

function holds({ is, at_least, at_most }: Check, value: string): boolean {
  if (value === UNKNOWN) return false;
  if (typeof is === "boolean") return is === (value === "yes" || value === "on");
  if (is !== undefined) return value === is;
  return Number(value) >= (at_least ?? Number.NEGATIVE_INFINITY) && Number(value) <= (at_most ?? Number.POSITIVE_INFINITY);
}

const wanted = ({ is, at_least, at_most }: Check): string => {
  if (is !== undefined) return typeof is === "string" ? is : is ? "yes" : "no";
  return [at_least === undefined ? "" : `at least ${at_least}`, at_most === undefined ? "" : `at most ${at_most}`]
    .filter(Boolean)
    .join(" and ");
};
