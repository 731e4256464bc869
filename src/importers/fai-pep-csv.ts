import type { ImportedFile, Importer } from "../model/recording.ts";
import { firstLine, readLoose } from "./loose-csv.ts";
import { collectMeter } from "./meter-folder.ts";
import { CHANNEL, cutFault, decodeMeter, type MeterTrace } from "./meter-recording.ts";
import type { MeterRig } from "./meter-rig.ts";
import { monsoonTrace } from "./monsoon-trace.ts";
import { timeUnit } from "./monsoon-units.ts";
import type { Problems } from "./problems.ts";
import { scale } from "./units.ts";

const NAMES = ["time", "current", "voltage", "usb_current", "usb_voltage"] as const;
const TOTAL = "total_power";
const W_PER_MW = 1e-3;
const A_PER_MA = 1e-3;

/** Numbers have four digits after the point: what that leaves open of a product, and of a sum of two. */
const ROUNDING = 1e-4;

/**
 * The power trace FAI-PEP uploads (facebook/FAI-PEP, benchmarking/utils/monsoon_power.py):
 * `time, current, voltage, usb_current, usb_voltage, total_power` in s, mA, V and mW; earlier versions without the total.
 *
 * The times are PyMonsoon's: one stamp per packet, in earlier versions some of them moved halfway to the one before.
 */
export const faiPepCsv: Importer = {
  format: "fai-pep-csv",
  summary: "a power trace of FAI-PEP (Monsoon); rig.json and events.jsonl beside it if there are",
  example: "fai-pep-csv recordings/phone-a/power_data.csv --out sessions/phone-a",
  collect: collectMeter,
  decode: (files) => decodeMeter("FAI-PEP CSV", files, readTrace),
};

function readTrace(file: ImportedFile, rig: MeterRig, problems: Problems): MeterTrace | undefined {
  const first = firstLine(file, false);
  const cells = first?.cells ?? [];
  const hasTotal = cells.includes(TOTAL);
  const wanted = [...NAMES, ...(hasTotal ? [TOTAL] : [])].map((name) => cells.indexOf(name));
  if (!first || wanted.includes(-1)) {
    const found = first ? cells.join(", ") : "nothing";
    problems.add(`${file.name}:${first?.line ?? 1}`, `expected the columns ${NAMES.join(", ")}, ${TOTAL}; found ${found}`);
    return undefined;
  }
  const table = readLoose(file, { names: cells, wanted, next: first.next, line: first.line, shared: true }, problems);
  const [times, current, voltage, usbCurrent, usbVoltage, total] = table.columns as readonly Float64Array[];
  if (table.rows < 2) {
    if (table.rows === 1) problems.add(file.name, "has one row of samples; at least two are needed");
    return undefined;
  }
  const problem = (what: string): void => problems.add(file.name, what);
  const second = timeUnit(times!, "", rig, problem);
  const power = totals([current!, voltage!, usbCurrent!, usbVoltage!], total, problem);
  if (!second || problems.count > 0) return undefined;
  const hasUsb = usbCurrent!.some((each) => each !== 0);
  const columns: MeterTrace["columns"] = hasUsb
    ? { "total.power_w": scale(power, W_PER_MW) }
    : { [`${CHANNEL}.current_a`]: scale(current!, A_PER_MA), [`${CHANNEL}.voltage_v`]: voltage! };
  const trace = monsoonTrace(scale(times!, second.factor), columns, rig);
  const channels = hasUsb ? "main and USB channel together: the device took power through both" : "main channel; the USB channel is 0";
  return {
    ...trace,
    channel: hasUsb ? "total" : CHANNEL,
    facts: { time_unit: second.why, current_unit: "mA, as FAI-PEP writes it", channels, ...trace.facts },
    faults: [...trace.faults, ...cutFault(table)],
  };
}

/** Milliwatts of both channels together; where the file has them too, they must agree, or the units are not what we think. */
function totals(channels: readonly Float64Array[], given: Float64Array | undefined, problem: (what: string) => void): Float64Array {
  const [current, voltage, usbCurrent, usbVoltage] = channels as [Float64Array, Float64Array, Float64Array, Float64Array];
  const power = new Float64Array(current.length);
  let worst = -1;
  for (let k = 0; k < power.length; k++) {
    power[k] = current[k]! * voltage[k]! + usbCurrent[k]! * usbVoltage[k]!;
    const open = ROUNDING * (1 + Math.abs(current[k]!) + voltage[k]! + Math.abs(usbCurrent[k]!) + usbVoltage[k]!);
    if (worst < 0 && given && Math.abs(given[k]! - power[k]!) > open) worst = k;
  }
  if (worst >= 0)
    problem(
      `${TOTAL} is ${given![worst]} in row ${worst + 1} of the samples, but its currents and voltages make ${power[worst]!.toFixed(4)} mW`,
    );
  return power;
}
