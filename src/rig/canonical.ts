import { createHash } from "node:crypto";

/** JSON with the keys of every map in one order: equal contents give equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : each,
  );
}

/** Eight hexadecimal digits of the SHA-256 of the content: enough to tell the cells of one plan apart. */
export const shortHash = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex").slice(0, 8);
