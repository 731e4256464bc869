import { describe, expect, test } from "vitest";
import { clockTime, laidOutAt, printable, significant, table, withUncertainty, wrap } from "../../src/cli/format.ts";

describe("numbers", () => {
  test.each([
    [0.40123, 0.006, "0.4012 ± 0.0060"],
    [123.456, 12, "123 ± 12"],
    [0.00001, 0.0000013, "0.0000100 ± 0.0000013"],
    [-1e-9, 1e-4, "0.00000 ± 0.00010"],
    [-0.5, 0.1, "-0.50 ± 0.10"],
    [5, 0, "5.00000"],
    [5, Number.NaN, "5.00000"],
  ])("%d with U = %d is %s", (value, U, text) => expect(withUncertainty(value, U)).toBe(text));

  test.each([
    [0, "0"],
    [1234.5678, "1235"],
    [0.0012345, "0.001234"],
    [1e-9, "1.000e-9"],
    [Number.NaN, "NaN"],
  ])("%d in four digits is %s", (value, text) => expect(significant(value)).toBe(text));

  test.each([
    [0, "0:00"],
    [90, "1:30"],
    [3725, "1:02:05"],
    [-3, "0:00"],
  ])("%d s is %s", (seconds, text) => expect(clockTime(seconds)).toBe(text));
});

describe("a table", () => {
  test("aligns, and breaks its last column between words at 80 columns", () => {
    const sentence = "a sentence that says at some length what was found to be wrong, and what to do about it";
    const lines = table([
      ["FAIL", "clocks", sentence],
      ["WARN", "x", "short"],
    ]).split("\n");
    expect(lines[0]).toBe("  FAIL  clocks  a sentence that says at some length what was found to be wrong,");
    expect(lines[1]).toBe("                and what to do about it");
    expect(lines[2]).toBe("  WARN  x       short");
    expect(lines.every((line) => line.length <= 80)).toBe(true);
  });

  test("leaves a word alone that is too long, such as a path", () => {
    const path = `/dev/serial/by-id/${"x".repeat(90)}`;
    expect(wrap(`at ${path} now`, 4)).toBe(`at\n    ${path}\n    now`);
  });

  test("shows what steers a terminal as what it is not", () => {
    expect(table([["\u001b[31mred\u0007"]])).toBe("  \ufffd[31mred\ufffd");
    expect(printable("a\nb\u0000\u009b2J\tc")).toBe("a\nb\ufffd\ufffd2J\ufffdc");
  });
});

test("a message beside a name goes on below itself, and its commands stay whole on lines of their own", () => {
  const command = "ssh-keyscan -p 2222 -t ed25519 a-device-with-a-long-name.lab >> /home/somebody/.ssh/known_hosts";
  expect(laidOutAt(`its key is not known to anybody here, so compare it, then run: ${command}; after that, try again`, 60)).toBe(
    [
      "its key is not known to",
      `${" ".repeat(60)}anybody here, so compare`,
      `${" ".repeat(60)}it, then run:`,
      `    ${command}`,
      `${" ".repeat(60)}after that, try again`,
    ].join("\n"),
  );
  expect(laidOutAt("run: ssh-add key", 10)).toBe("run:\n    ssh-add key");
});
