import { combined } from "../metrics/budget.ts";
import type { Component } from "../model/measurement.ts";
import type { CalibrationOutcome, CalibrationReadings } from "../session/calibrate.ts";
import type { WatchedChannel } from "../session/steady.ts";
import { significant, table } from "./format.ts";

/** What a calibration read, what it makes of the rig's values, and how well each is known. */
export function calibrationText(
  { budget, before, calibration }: CalibrationOutcome,
  { zero, load }: CalibrationReadings,
  { source, channel }: WatchedChannel,
): string {
  const shown = [
    ...(zero ? [["with nothing connected", `${significant(zero.current_a.value * 1000)} mA`]] : []),
    ...(load ? [["under the load", `${significant(load.current_a.value, 5)} A at ${significant(load.voltage_v.value, 5)} V`]] : []),
  ];
  const rows = Object.keys(before).map((key) => {
    const [old, found] = [before[key], calibration[key]];
    return [key, old === undefined ? "data sheet" : String(old), String(found), changeOf(old, found)];
  });
  return [
    `${source}.${channel} shows`,
    table(shown),
    "",
    table([["", "in force", "found", "change"], ...rows], [1, 2, 3]),
    "",
    "Standard uncertainties (k = 1) by component:",
    ...Object.entries(budget).map(([name, components]) => budgetText(name, components)),
    "",
  ].join("\n");
}

function changeOf(before: unknown, after: unknown): string {
  if (typeof before !== "number" || typeof after !== "number" || before === 0) return "";
  const percent = 100 * (after / before - 1);
  return `${percent > 0 ? "+" : ""}${percent.toFixed(2)} %`;
}

const TITLES: Readonly<Record<string, string>> = {
  zero: "zero of the current",
  current: "gain of the current",
  voltage: "gain of the voltage",
  power: "gain of power",
};

function budgetText(name: string, components: readonly Component[]): string {
  const say = (u: number): string => (name === "zero" ? `${(1000 * u).toPrecision(2)} mA` : `${(100 * u).toPrecision(2)} %`);
  const rows = components.filter((each) => each.u > 0).toSorted((a, b) => b.u - a.u);
  return `  ${TITLES[name] ?? name}\n${table(
    [...rows.map((each) => [`  ${each.name}`, say(each.u)]), ["  combined", say(combined(components))]],
    [1],
  )}`;
}
