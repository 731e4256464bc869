import type { SchemaElement } from "hyparquet";
import type { ColumnKey } from "../model/block.ts";

/**
 * Decimal digits kept behind the point, for every quantity: nanoampere, nanovolt, nanowatt.
 *
 * The error of at most half of that is a hundredth of the finest count in sight (50 nA of a PPK2's lowest range). One
 * scale for all files lets a query read a folder of sessions as one table.
 */
export const SCALE_DIGITS = 9;

/** Digits of an INT64 that Parquet calls exact; larger values are beyond any bench. */
const PRECISION = 18;
export const LARGEST_VALUE = 10 ** (PRECISION - SCALE_DIGITS);

/** Unit of a column, by the suffix of its quantity. */
const UNITS: Readonly<Record<string, string>> = { current_a: "A", voltage_v: "V", power_w: "W", energy_j: "J", charge_c: "C" };

export interface PartColumn {
  readonly key: ColumnKey;
  /** As in the file: `main_current_a`; a dot would need quoting in every query. */
  readonly name: string;
  readonly channel: string;
  readonly quantity: string;
  readonly unit: string;
}

export function columnOf(key: ColumnKey): PartColumn {
  const dot = key.lastIndexOf(".");
  const [channel, quantity] = [key.slice(0, dot), key.slice(dot + 1)];
  return { key, name: `${channel}_${quantity}`.replace(/[^A-Za-z0-9_]/g, "_"), channel, quantity, unit: UNITS[quantity] ?? "" };
}

const root = (columns: readonly PartColumn[]): SchemaElement => ({ name: "root", num_children: columns.length + 2 });
const time = (name: string): SchemaElement => ({ name, type: "INT64", repetition_type: "REQUIRED" });
const integer = ({ name }: PartColumn): SchemaElement => ({ name, type: "INT64", repetition_type: "OPTIONAL" });
const decimal = (column: PartColumn): SchemaElement => ({
  ...integer(column),
  converted_type: "DECIMAL",
  scale: SCALE_DIGITS,
  precision: PRECISION,
  logical_type: { type: "DECIMAL", precision: PRECISION, scale: SCALE_DIGITS },
});

/** What readers see: times in nanoseconds, values as decimals, which databases scale by themselves. */
export const schemaOf = (columns: readonly PartColumn[]): SchemaElement[] => [
  root(columns),
  time("t_ns"),
  time("dt_ns"),
  ...columns.map(decimal),
];

/** The same as plain integers. */
export const physicalSchema = (columns: readonly PartColumn[]): SchemaElement[] => [
  root(columns),
  time("t_ns"),
  time("dt_ns"),
  ...columns.map(integer),
];
