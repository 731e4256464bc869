import type { Port, PortChunk } from "../../src/model/port.ts";

/** Host clock of the tests: nanoseconds since the process began. */
export const now = () => performance.now() * 1e6;

/** The next `count` bytes. */
export async function take(port: Port, count: number): Promise<Uint8Array> {
  const all = new Uint8Array(count);
  let at = 0;
  for await (const { bytes } of port) {
    all.set(bytes.subarray(0, count - at), at); // what is beyond is of no interest here
    at += bytes.length;
    if (at >= count) return all;
  }
  throw new Error(`ended after ${at} of ${count} bytes`);
}

/** Reads to the end. @returns every chunk, and how the iteration ended: undefined when normally. */
export async function drain(port: Port, each: (chunk: PortChunk) => void = () => {}): Promise<unknown> {
  try {
    for await (const chunk of port) each(chunk);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("did not reject");
}

/** Fails when `promise` takes longer; what it waits for is an event, not a length of time. */
export async function within<T>(limit_ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${limit_ms} ms`)), limit_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until the answer stops changing. */
export async function settled(ask: () => Promise<string>): Promise<string> {
  let last = await ask();
  while (true) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answer = await ask();
    if (answer === last) return answer;
    last = answer;
  }
}

/** Index of the first byte that is not that of the sequence 0, 1, 2, ... of little-endian 32-bit words; -1 when all are. */
export function firstWrong(bytes: Uint8Array, from = 0): number {
  for (let i = 0; i < bytes.length; i++) {
    const at = from + i;
    if (bytes[i] !== (((at >>> 2) >>> (8 * (at & 3))) & 0xff)) return i;
  }
  return -1;
}

/** Something that is waited for here and happens there. */
export function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}
