/** Significant digits of an uncertainty; the value is rounded to the same place (GUM 7.2.6). */
const UNCERTAINTY_DIGITS = 2;

/** `0.4012 ± 0.0060`: value and expanded uncertainty, rounded to the same place. */
export function withUncertainty(value: number, expanded: number): string {
  if (!(expanded > 0)) return significant(value, 6);
  const exponent = Math.floor(Math.log10(expanded));
  const decimals = Math.max(0, Math.min(12, UNCERTAINTY_DIGITS - 1 - exponent));
  return `${value.toFixed(decimals)} ± ${expanded.toFixed(decimals)}`;
}

/** A number in few digits and without an exponent where that is readable. */
export function significant(value: number, digits = 4): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return exponent < -6 || exponent > 9 ? value.toExponential(digits - 1) : value.toFixed(Math.max(0, digits - 1 - exponent));
}

/** Columns padded to their widest cell; all but the first are right-aligned when `numbers` says so. */
export function table(rows: readonly (readonly string[])[], numbers: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const pad = (cell: string, i: number): string => (numbers.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!));
  return rows.map((row) => `  ${row.map(pad).join("  ").trimEnd()}`).join("\n");
}

/** `90` as `1:30`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
