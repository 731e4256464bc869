import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { TwoOutputs } from "../../src/engines/two-outputs.ts";

const LOGGED = String.raw`log \n a\b`;
const PROGRAM = `echo out; printf '%s\\n' '${LOGGED}' >&2; printf 'open line'; printf 'last log' >&2; exit 7`;

test.each([["dash"], ["bash"], ["mksh"], ["busybox", "sh"]])("both outputs, as they are, by %s %s", (...shell) => {
  const both = new TwoOutputs();
  const [, ...rest] = both.argv(["sh", "-c", PROGRAM]);
  const { stdout, status } = spawnSync(shell[0]!, [...shell.slice(1), ...rest], { encoding: "utf8" });
  expect(status).toBe(0);
  const heard = stdout
    .trimEnd()
    .split("\n")
    .map((line) => both.read(line));
  const of = (key: "printed" | "logged" | "code") => heard.flatMap((each) => (each[key] === undefined ? [] : [each[key]]));
  expect(of("printed").join("|")).toBe("out|open line");
  expect(of("logged")).toEqual([LOGGED, "last log"]);
  expect(of("code")).toEqual([7]);
});
