import { expect, test } from "vitest";
import { lineOf, seriesOf } from "../../src/sinks/line-protocol.ts";

/** Lines written by hand from the vendor's reference of line protocol. */
test.each([
  [
    "numbers and tags, sorted",
    "power",
    { rig: "a", channel: "main" },
    { power_w: 2.5, n: 3 },
    "power,channel=main,rig=a power_w=2.5,n=3 7",
  ],
  ["separators in a tag", "m", { t: "a b,c=d" }, { f: 1 }, "m,t=a\\ b\\,c\\=d f=1 7"],
  ["separators in names", "m x,y=z", { "t g": "v" }, { "f=1": 1 }, "m\\ x\\,y=z,t\\ g=v f\\=1=1 7"],
  ["quotes in a text", "m", {}, { f: 'said "no", left' }, 'm f="said \\"no\\", left" 7'],
  ["true and false", "m", {}, { a: true, b: false }, "m a=true,b=false 7"],
  ["what there is not", "m", {}, { a: null, b: undefined, c: Number.NaN, d: Number.POSITIVE_INFINITY, e: 0 }, "m e=0 7"],
  ["very large and small", "m", {}, { a: 1e21, b: -1.5e-9, c: -0 }, "m a=1e+21,b=-1.5e-9,c=0 7"],
  ["a line break and a backslash", "m", { t: "x\nfake,y=1 v=9\\" }, { f: "a\r\nb\\" }, 'm,t=x_fake\\,y\\=1\\ v\\=9_ f="a__b_" 7'],
  ["an empty tag", "m", { t: "", u: "  ", v: "x" }, { f: "" }, 'm,v=x f="" 7'],
  ["other alphabets", "m", { t: "Größe" }, { f: "温度 🌡" }, 'm,t=Größe f="温度 🌡" 7'],
  ["half a character", "m", { t: "a\ud83d" }, { f: "\udf21b" }, 'm,t=a_ f="_b" 7'],
])("%s", (...[, measurement, tags, fields, line]) => {
  expect(lineOf(seriesOf(measurement, tags as Record<string, string>), fields, 7n)).toBe(line);
});

test("a point without a field is none", () => {
  expect(lineOf("m", { a: null, b: Number.NaN }, 7n)).toBeUndefined();
});

test("long texts are cut, between characters", () => {
  const line = lineOf(seriesOf("m", { t: "🌡".repeat(200) }), { f: `${"x".repeat(4095)}🌡` }, 7n)!;
  expect(line).toBe(`m,t=${"🌡".repeat(128)} f="${"x".repeat(4095)}" 7`);
});
