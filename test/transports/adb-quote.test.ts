import { afterAll, beforeAll, expect, test } from "vitest";
import { type Random, seeded } from "../../src/simulate/random.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { openAdb, optionsFor, script, texts } from "./adb-bench.ts";

const ECHO = "for (const each of process.argv.slice(1)) console.log(JSON.stringify(each))";

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone?.close());

test("10 000 random strings come back as they were through adb and the shell of Android", async () => {
  const random = seeded(20);
  const transport = await openAdb(optionsFor(phone));
  let same = 0;
  for (let batch = 0; batch < 25; batch++) {
    const argv = Array.from({ length: 400 }, () => randomText(random));
    const said = await texts((await transport.open(script(ECHO, ...argv))).lines);
    expect(said).toEqual(argv.map((each) => JSON.stringify(each)));
    same += said.length;
  }
  expect(same).toBe(10_000);
}, 60_000);

/** Up to 40 characters, half of them such as shells care about, the others from everywhere but NUL and surrogates. */
function randomText(random: Random): string {
  const special = "'\"\\`$(){}[]<>|&;*?~#!^=-+%@:,. \t\n\r";
  const character = (): string => {
    if (random() < 0.5) return special[Math.floor(random() * special.length)]!;
    const range = random() < 0.5 ? 0x7f : random() < 0.9 ? 0xd7ff : 0x10ffff;
    const code = 1 + Math.floor(random() * range);
    return code >= 0xd800 && code < 0xe000 ? "\ufffd" : String.fromCodePoint(Math.min(code, 0x10ffff));
  };
  return Array.from({ length: Math.floor(random() * 40) }, character).join("");
}
