import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type BridgeFrame, MAX_ENCODED, readFrame } from "../../src/instruments/bridge-ina219-frames.ts";
import { CobsReader } from "../../src/wire/cobs.ts";

type Golden = { readonly name: string; readonly hex: string; readonly type: string; readonly samples?: [number, number][] };

const golden = JSON.parse(readFileSync(new URL("../../firmware-bridge/golden/frames.json", import.meta.url), "utf8")) as Golden[];

function decode(bytes: Uint8Array, cut = bytes.length): (BridgeFrame | undefined)[] {
  const frames: (BridgeFrame | undefined)[] = [];
  const reader = new CobsReader(MAX_ENCODED, {
    frame: (payload) => frames.push(readFrame(payload)),
    text() {},
    bad: () => frames.push(undefined),
  });
  for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
  return frames;
}

/** A decoded frame in the words of the golden file. */
function inGoldenWords(frame: BridgeFrame | undefined): unknown {
  if (frame?.type !== "samples") return frame;
  const { shunt, bus, ...header } = frame;
  return { ...header, samples: Array.from(shunt, (counts, k) => [counts, bus[k]]) };
}

test.each(golden)("$name", ({ name: _, hex, ...fields }) => {
  expect(decode(Buffer.from(hex, "hex")).map(inGoldenWords)).toEqual([fields]);
});

test.each([1, 3, 17, 4096])("all of them in chunks of %i bytes", (cut) => {
  const stream = Buffer.from(golden.map(({ hex }) => hex).join(""), "hex");
  expect(decode(stream, cut).map(inGoldenWords)).toEqual(golden.map(({ name: _, hex: __, ...fields }) => fields));
});

test("the longest golden frame is the longest there is", () => {
  const longest = Math.max(...golden.map(({ hex }) => hex.length / 2));
  expect(longest).toBe(MAX_ENCODED);
});

test("a payload of another length is no frame", () => {
  expect(readFrame(Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeUndefined();
  expect(readFrame(Uint8Array.from([2, 0, 0, 0, 0, 0]))).toBeUndefined();
  expect(readFrame(Uint8Array.from([4, 0]))).toBeUndefined();
  expect(readFrame(Uint8Array.from([9, 1, 2, 3]))).toBeUndefined();
});
