/** Seconds and amperes per unit, as meters' headers spell them. */
export const SECONDS: Readonly<Record<string, number>> = { s: 1, sec: 1, ms: 1e-3, us: 1e-6, µs: 1e-6 };
export const AMPERES: Readonly<Record<string, number>> = { A: 1, mA: 1e-3, uA: 1e-6, µA: 1e-6, nA: 1e-9 };

/** `Current(uA)` is `Current` in `uA`; a name without a unit in brackets has the unit "". */
export function splitUnit(cell: string): { readonly name: string; readonly unit: string } {
  const [, name = cell, unit = ""] = /^(.*?)\s*\(([^()]*)\)$/.exec(cell) ?? [];
  return { name: name.trim(), unit: unit.trim() };
}

/** Multiplies a column in place. Division by the exact inverse keeps decimal milliunits correctly rounded. */
export function scale(values: Float64Array, factor: number): Float64Array {
  if (factor === 1) return values;
  const inverse = Math.round(1 / factor);
  for (let k = 0; k < values.length; k++) values[k]! /= inverse;
  return values;
}
