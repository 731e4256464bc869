import { afterAll, beforeAll, expect, test } from "vitest";
import { seeded } from "../../src/simulate/random.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { openAdb, optionsFor, script, texts } from "./adb-bench.ts";
import { randomText } from "./random-text.ts";

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
