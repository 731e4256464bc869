import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Channel } from "../../src/model/transport.ts";
import { readHello } from "../../src/transports/ios-hello.ts";
import { examplesOf, named, rowsBelow } from "./pages.ts";

const PAGE = "docs/transports.md";

test("the hello of the page is one", async () => {
  const { text } = examplesOf(PAGE).find(({ info }) => info === "jsonl hello")!;
  const lines = (async function* () {
    yield { text, host_ns: 0 };
  })();
  const hello = await readHello({ lines } as unknown as Channel, "app");
  expect(Object.keys(hello)).toEqual(["app", "model", "system", "boot_id"]);
});

test("the program can say what the page lists", () => {
  const source = readdirSync("src/transports")
    .filter((name) => name.startsWith("ios"))
    .map((name) => readFileSync(`src/transports/${name}`, "utf8"))
    .join("\n");
  const messages = rowsBelow(PAGE, "ios").map(([, message]) => named(message!)[0]!);
  expect(messages.length).toBeGreaterThan(4);
  expect(messages.filter((message) => !source.includes(message))).toEqual([]);
});
