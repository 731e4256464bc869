/** Significant digits of an uncertainty; the value is rounded to the same place (GUM 7.2.6). */
const UNCERTAINTY_DIGITS = 2;

/** `0.4012 ± 0.0060`: value and expanded uncertainty, rounded to the same place. */
export function withUncertainty(value: number, expanded: number): string {
  if (!(expanded > 0)) return significant(value, 6);
  const exponent = Math.floor(Math.log10(expanded));
  const decimals = Math.max(0, Math.min(12, UNCERTAINTY_DIGITS - 1 - exponent));
  // What rounds to zero has no sign.
  return `${value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, "$1")} ± ${expanded.toFixed(decimals)}`;
}

/** A number in few digits and without an exponent where that is readable. */
export function significant(value: number, digits = 4): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return exponent < -6 || exponent > 9 ? value.toExponential(digits - 1) : value.toFixed(Math.max(0, digits - 1 - exponent));
}

/** What every terminal shows on one line. */
export const WIDTH = 80;
/** The last column of a table gets at least this much, however wide the others are. */
const LEAST_WIDTH = 24;

/**
 * Columns padded to their widest cell, those in `numbers` right-aligned; the last is broken between words where a
 * line would be wider than a terminal.
 */
export function table(given: readonly (readonly string[])[], numbers: readonly number[] = []): string {
  const rows = given.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const last = widths.length - 1;
  const indent = 2 + widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const pad = (cell: string, i: number): string => {
    if (numbers.includes(i)) return cell.padStart(widths[i]!);
    return i === last ? wrap(cell, indent) : cell.padEnd(widths[i]!);
  };
  return rows.map((row) => `  ${row.map(pad).join("  ").trimEnd()}`).join("\n");
}

/** Text from a device without what would steer the terminal; line ends stay. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n]/gu, "\ufffd");

/** Text broken between words, whose lines after the first are indented; the first one stands at that column already. */
export function wrap(text: string, indent = 0): string {
  const room = Math.max(LEAST_WIDTH, WIDTH - indent);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

/** A command in a message: it stays whole, on a line of its own, so that it can be copied. */
const COMMAND = /: ((?:ssh|ssh-[a-z-]+|adb|sudo) [^;\n]+)(; |$)/gm;

/** A message for a terminal: broken between words, its commands below one another. Logs and pipes get it in one line. */
export function laidOut(message: string): string {
  return message
    .replace(COMMAND, ":\n    $1\n  ")
    .trimEnd()
    .split("\n")
    .map((line) => (/^ {4}\S/.test(line) ? line : `${/^ */.exec(line)![0]}${wrap(line.trimStart(), 2)}`))
    .join("\n");
}

/** As {@link laidOut}, for a message that goes on at column `indent`. */
export function laidOutAt(message: string, indent: number): string {
  const pieces = message.replace(COMMAND, ":\n$1\n").split("\n");
  const lines = pieces.map((piece, k) => (k % 2 === 1 ? `    ${piece}` : `${k === 0 ? "" : " ".repeat(indent)}${wrap(piece, indent)}`));
  return lines.join("\n").trimEnd();
}

/** `90` as `1:30`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
