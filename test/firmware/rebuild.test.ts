import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const FIRMWARE = new URL("../../firmware-bridge/", import.meta.url).pathname;
let build: string;

beforeAll(() => {
  build = mkdtempSync(join(tmpdir(), "joulebench-firmware-"));
});
afterAll(() => rmSync(build, { recursive: true }));

const make = (target: string) => execFileSync("make", ["-C", FIRMWARE, `BUILD=${build}`, join(build, target)], { stdio: "pipe" });

test("the sources give the committed hex, byte for byte", () => {
  make("bridge-ina219-uno.hex");
  expect(readFileSync(join(build, "bridge-ina219-uno.hex"), "utf8")).toBe(readFileSync(join(FIRMWARE, "bridge-ina219-uno.hex"), "utf8"));
});

test("the firmware's encoder gives the committed golden frames", () => {
  make("frames.json");
  expect(readFileSync(join(build, "frames.json"), "utf8")).toBe(readFileSync(join(FIRMWARE, "golden/frames.json"), "utf8"));
});
