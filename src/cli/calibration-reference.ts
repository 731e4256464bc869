import type { LoadReference } from "../metrics/calibration.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Uncertain } from "../model/instrument.ts";

/** What a user says of the load, as typed. */
export interface ReferenceFlags {
  readonly resistor?: string;
  readonly resistorUncertainty?: string;
  readonly referenceCurrent?: string;
  readonly referenceVoltage?: string;
  readonly referenceUncertainty?: string;
}

/** @returns undefined when nothing was said. @throws JoulebenchError `config` when it does not add up to a reference */
export function referenceOf(flags: ReferenceFlags): LoadReference | undefined {
  const { resistor, resistorUncertainty, referenceCurrent, referenceVoltage, referenceUncertainty } = flags;
  if (resistor !== undefined && referenceCurrent !== undefined)
    throw new JoulebenchError("config", "--resistor, --reference-current", "exclude each other: name the one that is known better");
  const metered = referenceCurrent ?? referenceVoltage;
  if ((metered === undefined) !== (referenceUncertainty === undefined))
    throw new JoulebenchError("config", "--reference-uncertainty", "belongs to what a second meter shows: give both, or neither");
  if ((resistor === undefined) !== (resistorUncertainty === undefined))
    throw new JoulebenchError("config", "--resistor-uncertainty", "belongs to --resistor: give both, or neither");
  const voltage_v = known("--reference-voltage", referenceVoltage, referenceUncertainty);
  const more = voltage_v ? { voltage_v } : {};
  const resistor_ohm = known("--resistor", resistor, resistorUncertainty, "--resistor-uncertainty");
  if (resistor_ohm) return { resistor_ohm, ...more };
  const current_a = known("--reference-current", referenceCurrent, referenceUncertainty);
  if (current_a) return { current_a, ...more };
  if (voltage_v)
    throw new JoulebenchError(
      "config",
      "--reference-voltage",
      "says nothing of the current: give --resistor or --reference-current as well",
    );
  return undefined;
}

function known(
  flag: string,
  value: string | undefined,
  percent: string | undefined,
  of = "--reference-uncertainty",
): Uncertain | undefined {
  if (value === undefined || percent === undefined) return undefined;
  const number = Number(value);
  if (!(number > 0)) throw new JoulebenchError("config", `${flag} ${value}`, "expected a number above 0");
  const share = /^\s*(\d*\.?\d+)\s*%\s*$/.exec(percent);
  if (!share) throw new JoulebenchError("config", `${of} ${percent}`, "expected a percentage with its sign, such as 0.1%");
  return { value: number, u: (number * Number(share[1])) / 100 };
}

/** How a calibration was done, in words for the rig file. */
export function methodOf(flags: ReferenceFlags, zero: boolean): string {
  const { resistor, resistorUncertainty, referenceCurrent, referenceVoltage, referenceUncertainty } = flags;
  const parts = [
    resistor === undefined ? "" : `resistor ${resistor} ohm (u ${resistorUncertainty})`,
    referenceCurrent === undefined ? "" : `second meter ${referenceCurrent} A (u ${referenceUncertainty})`,
    referenceVoltage === undefined ? "" : `second meter ${referenceVoltage} V (u ${referenceUncertainty})`,
    zero ? "zero current" : "",
  ];
  return parts.filter(Boolean).join(", ");
}
