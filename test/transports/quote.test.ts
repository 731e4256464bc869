import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seeded } from "../../src/simulate/random.ts";
import { quoteArgument, quoteCommand } from "../../src/transports/quote.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { LOGINS } from "../sshd/tree.ts";
import { randomText } from "./random-text.ts";
import { openTransport, optionsFor, script, texts } from "./ssh-bench.ts";

const ECHO = "for (const each of process.argv.slice(1)) console.log(JSON.stringify(each))";

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

describe.each(Object.keys(LOGINS))("through the login shell of %s", (user) => {
  async function echoed(batches: readonly (readonly string[])[]): Promise<string[]> {
    const transport = await openTransport("ssh", optionsFor(sshd, { user }));
    const said: string[] = [];
    for (const batch of batches) said.push(...(await texts((await transport.open(script(ECHO, ...batch))).lines)));
    return said;
  }

  test("what shells give a meaning to has none", async () => {
    const argv = [
      "",
      " ",
      "'",
      "''",
      "\\",
      "\\'",
      '"',
      "$HOME",
      "$(id)",
      "`id`",
      "$" + "{x:-y}",
      "*",
      "?",
      "[a-z]",
      "~",
      "~root",
      "!!",
      "!1",
    ];
    const more = [
      "-n",
      "--",
      "-",
      "a=b",
      "#",
      ";",
      "&",
      "|",
      "a\nb",
      "\n",
      "\r\n",
      "\t",
      "{a,b}",
      "=ls",
      "^a^b",
      "\u0001\u007f",
      "Grüße €",
    ];
    const odd = ["\u0081\u0088", "👩‍🔬", "\u202e", "\ufeff", "\uffff", "x".repeat(20_000)];
    const all = [...argv, ...more, ...odd];
    expect(await echoed([all])).toEqual(all.map((each) => JSON.stringify(each)));
  });

  test("2500 random strings come back as they were", async () => {
    const random = seeded(Object.keys(LOGINS).indexOf(user) + 1);
    const batches = Array.from({ length: 10 }, () => Array.from({ length: 250 }, () => randomText(random)));
    const said = await echoed(batches);
    expect(said).toHaveLength(2500);
    expect(said).toEqual(batches.flat().map((each) => JSON.stringify(each)));
  });
});

test.each([
  ["a\0b", /NUL/],
  ["\ud83d", /surrogate/],
])("%j is refused", (argument, why) => {
  expect(() => quoteArgument(argument)).toThrow(expect.objectContaining({ kind: "config", message: expect.stringMatching(why) }));
});

test("a command is its arguments, each quoted", () => {
  expect(quoteCommand(["a b", "c'd", ""])).toBe(`'a b' 'c'\\''d' ''`);
  expect(() => quoteCommand([])).toThrow(expect.objectContaining({ kind: "config", message: expect.stringMatching(/no command/) }));
});
