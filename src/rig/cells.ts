import { shortHash } from "./canonical.ts";
import type { Place } from "./order.ts";
import type { Resolved } from "./resolve.ts";

/** One session of an experiment: its place in the queue, and everything it needs. */
export interface Cell extends Resolved {
  /** Place in the queue, from 1. */
  readonly index: number;
  /** Name of its folder: place, values and repetition, as far as a file system takes them. */
  readonly id: string;
  /** Of all its parameters: cells with the same hash are repetitions of each other. */
  readonly hash: string;
  readonly repetition: number;
  /** Values of the axes, by dotted key. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A cell as it stands in `plan.json`. */
export type CellName = Pick<Cell, "index" | "id" | "hash" | "repetition" | "values">;

export const nameOf = ({ index, id, hash, repetition, values }: Cell): CellName => ({ index, id, hash, repetition, values });

const LONGEST_VALUE = 24;
const LONGEST_SLUG = 120;

/** The cells in the order of `places`. @param resolved one per combination */
export function cellsOf(resolved: readonly Resolved[], places: readonly Place[]): Cell[] {
  const hashes = resolved.map(({ plan, engine, sha256 }) => shortHash({ plan, engine, sha256 }));
  const isRepeated = places.some(({ repetition }) => repetition > 1);
  return places.map(({ combination, repetition }, i) => {
    const parts = resolved[combination]!;
    const { values } = parts.combination;
    const slug = slugOf(parts).slice(0, LONGEST_SLUG);
    const id = `${String(i + 1).padStart(4, "0")}-${slug}${isRepeated ? `_rep${repetition}` : ""}`;
    return { ...parts, index: i + 1, id, hash: hashes[combination]!, repetition, values };
  });
}

function slugOf({ combination: { values, at }, plan }: Resolved): string {
  const parts = Object.entries(values).map(([key, value]) => `${plain(key.split(".").at(-1)!)}-${valueSlug(value, at[key]!)}`);
  return parts.join("_") || plan.workload.kind;
}

/** The end of a path, a number, a word; of anything else which value it is, from 1. */
function valueSlug(value: unknown, at: number): string {
  if (typeof value === "number" || typeof value === "boolean") return plain(String(value));
  const text = typeof value === "string" ? plain(value.split("/").findLast((part) => part !== "") ?? "") : "";
  return text || String(at + 1);
}

/** Letters, digits, dot and plus, which every file system takes and no shell reads. */
const plain = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.+]+/g, "-")
    .slice(0, LONGEST_VALUE)
    .replace(/^[-.]+|[-.]+$/g, "");
