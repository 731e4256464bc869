import type { Finding } from "../session/finding.ts";
import { laidOutAt, printable } from "./format.ts";

/** A longer name, such as that of a serial port, has a line of its own: what is wrong with it needs the room. */
const LONGEST_NAME = 20;

/** Findings below one another: ✓ or ✗, what was looked at, and what there is to say of it. Commands in it stay whole. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ what }) => what.length).filter((length) => length <= LONGEST_NAME));
  const indent = 2 + 1 + 2 + width + 2;
  return findings
    .map(({ what, ok, detail }) => {
      const name = printable(what);
      const gap = name.length > width ? `\n${" ".repeat(indent)}` : " ".repeat(width - name.length + 2);
      return `  ${ok ? "✓" : "✗"}  ${name}${gap}${laidOutAt(printable(detail).replaceAll("\n", " "), indent)}`;
    })
    .join("\n");
}
