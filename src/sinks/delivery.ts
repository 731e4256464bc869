import type { Parcel } from "./parcel.ts";

/** What a service said to some lines. */
export type Answer =
  | { readonly kind: "kept" }
  /** One of them at least is wrong, whenever it is sent. Others may have been kept. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** Some are older than the service keeps; the others were kept. */
  | { readonly kind: "expired"; readonly points: number; readonly reason: string }
  /** Fewer at once might be taken. */
  | { readonly kind: "too_many"; readonly reason: string }
  /** None is known to be kept; the same lines may be taken later, and not before `after_ms` where the service said so. */
  | { readonly kind: "later"; readonly reason: string; readonly after_ms?: number };

/** A service that takes lines. */
export interface Service {
  /** Never rejects and always settles. */
  write(parcel: Parcel): Promise<Answer>;
  /** Ends a write under way at once: it resolves as `later`. */
  abort(): void;
}

/** What became of lines, from the first on. */
export interface Delivery {
  /** So many from the first on are settled. */
  readonly settled: number;
  /** Those of them that the service will never take. */
  readonly rejected: readonly { readonly line: string; readonly reason: string }[];
  readonly expired: { readonly points: number; readonly reason: string } | undefined;
  /** Why the rest is not. */
  readonly held: Extract<Answer, { kind: "later" }> | undefined;
  /** The most lines that were taken at once, where that was fewer than asked. */
  readonly most: number | undefined;
}

/**
 * Sends lines to a service, in halves of halves where it does not take all of them, until those it will never take
 * stand alone. Lines that were kept are sent again on the way, which replaces them by themselves.
 */
export async function deliver(service: Service, parcel: Parcel): Promise<Delivery> {
  const rejected: { line: string; reason: string }[] = [];
  const expired = { points: 0, reason: "" };
  let settled = 0;
  let held: Delivery["held"];
  let most: number | undefined;
  const parts = [parcel.length];
  while (parts.length > 0 && !held) {
    const length = parts.pop()!;
    const part = parcel.part(settled, settled + length);
    const answer = await service.write(part);
    if (answer.kind === "later") held = answer;
    else if (length > 1 && (answer.kind === "rejected" || answer.kind === "too_many")) {
      const half = length >> 1;
      if (answer.kind === "too_many") most = half;
      parts.push(length - half, half);
    } else {
      settled += length;
      if (answer.kind === "expired") {
        expired.points += Math.min(answer.points, length);
        expired.reason = answer.reason;
      } else if (answer.kind !== "kept") rejected.push({ line: part.lines[0]!, reason: answer.reason });
    }
  }
  return { settled, rejected, expired: expired.points > 0 ? expired : undefined, held, most };
}
