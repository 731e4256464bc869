/**
 * Reads every thermal zone of a device, one line each, and on Android what its services say. A constant: nothing of a
 * plan ever becomes part of it.
 */
export const READ_TEMPERATURES: readonly string[] = [
  "sh",
  "-c",
  [
    "for zone in /sys/class/thermal/thermal_zone*; do",
    'type=$(cat "$zone/type" 2>/dev/null); temp=$(cat "$zone/temp" 2>/dev/null);',
    'echo "zone|$type|$temp"; done;',
    "if command -v dumpsys >/dev/null 2>&1; then",
    "dumpsys thermalservice 2>/dev/null; dumpsys battery 2>/dev/null; fi; :",
  ].join(" "),
];

/** Temperatures by zone, °C. A zone that cannot be read, or reads what no zone can be, is not among them. */
export type Temperatures = ReadonlyMap<string, number>;

/** What a device in a laboratory can be: outside, a value is a code or a slip, such as -256000 for a gated sensor. */
const COLDEST_DEGC = -40;
const HOTTEST_DEGC = 150;
/** Types of the Android thermal HAL that are not degrees: voltage, current, percentage, unknown. */
const NOT_DEGREES: ReadonlySet<string> = new Set(["6", "7", "8", "-1"]);

/** @param output of {@link READ_TEMPERATURES} */
export function temperaturesOf(output: string): Temperatures {
  const found = new Map<string, number>();
  const add = (name: string, degc: number | undefined): void => {
    if (degc !== undefined && name !== "" && !found.has(name)) found.set(name, degc);
  };
  for (const [, type = "", temp = ""] of output.matchAll(/^zone\|(.*)\|(.*)$/gm)) add(type.trim(), degrees(temp));
  for (const [, value = "", type = "", name = ""] of halSection(output).matchAll(
    /Temperature\{mValue=([^,]+), mType=(-?\d+), mName=([^,}]+)/g,
  ))
    if (!NOT_DEGREES.has(type)) add(name, plausible(Number(value)));
  const battery = /^\s+temperature: (-?\d+)$/m.exec(output)?.[1];
  add("battery", battery === undefined ? undefined : plausible(Number(battery) / 10));
  return found;
}

/** What the sensors say now; without that, what the service remembers. */
function halSection(output: string): string {
  const now = section(output, "Current temperatures from HAL:");
  return now.includes("Temperature{") ? now : section(output, "Cached temperatures:");
}

function section(output: string, heading: string): string {
  const at = output.indexOf(heading);
  if (at < 0) return "";
  const lines = output.slice(at + heading.length + 1).split("\n");
  const end = lines.findIndex((line) => !/^\s/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).join("\n");
}

/** Thousandths, tenths or whole degrees: vendors write all three, and only one of them makes a temperature. Gated sensors write 0. */
function degrees(text: string): number | undefined {
  if (!/^-?\d+$/.test(text.trim())) return undefined;
  const value = Number(text);
  const size = Math.abs(value);
  return plausible(size > 10 * HOTTEST_DEGC ? value / 1000 : size > HOTTEST_DEGC ? value / 10 : value);
}

const plausible = (degc: number): number | undefined =>
  Number.isFinite(degc) && degc !== 0 && degc >= COLDEST_DEGC && degc <= HOTTEST_DEGC ? degc : undefined;

/** The zone of that name, or the warmest where none is named; undefined when it is not there. */
export function temperatureAt(temperatures: Temperatures, zone: string | undefined): number | undefined {
  if (zone !== undefined) return temperatures.get(zone);
  return temperatures.size === 0 ? undefined : Math.max(...temperatures.values());
}
