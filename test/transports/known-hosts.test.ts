import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fingerprint, judge, knownName, knownTypes, parseKnownHosts } from "../../src/transports/known-hosts.ts";
import { makeKey } from "../sshd/sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "joulebench-known-hosts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, "key");
makeKey(path, "ed25519");
const [type = "", base64 = ""] = readFileSync(`${path}.pub`, "utf8").split(" ");
const key = Buffer.from(base64, "base64");
const other = `${base64.slice(0, -4)}AAAA`;

const verdict = (text: string, host = "pi5.lab", port = 22) => judge(parseKnownHosts(text, "known_hosts"), host, port, key).is;

/** Whether OpenSSH finds the name in the same file. */
function opensshFinds(text: string, name: string): boolean {
  writeFileSync(join(folder, "known_hosts"), text);
  return spawnSync("ssh-keygen", ["-F", name, "-f", join(folder, "known_hosts")]).status === 0;
}

describe("names, as OpenSSH itself reads them", () => {
  test.each([
    ["pi5.lab", "pi5.lab", 22, true],
    ["PI5.lab", "pi5.LAB", 22, true],
    ["pi4.lab", "pi5.lab", 22, false],
    ["a.lab,pi5.lab,192.168.1.5", "192.168.1.5", 22, true],
    ["*.lab", "pi5.lab", 22, true],
    ["*.lab", "pi5xlab", 22, false],
    ["pi?.lab", "pi5.lab", 22, true],
    ["pi?.lab", "pi.lab", 22, false],
    ["*.lab,!pi5.lab", "pi5.lab", 22, false],
    ["*.lab,!pi5.lab", "pi4.lab", 22, true],
    ["!pi5.lab,*", "pi5.lab", 22, false],
    ["[pi5.lab]:2222", "pi5.lab", 2222, true],
    ["[pi5.lab]:2222", "pi5.lab", 22, false],
    ["[pi5.lab]:2222", "pi5.lab", 2223, false],
    ["[*.lab]:2222", "pi5.lab", 2222, true],
    ["[fe80::1%eth0]:2222", "fe80::1%eth0", 2222, true],
    ["pi5+lab", "pi5.lab", 22, false],
  ])("%s is %s port %i: %s", (names, host, port, isFound) => {
    const text = `${names} ${type} ${base64}\n`;
    expect([verdict(text, host, port) === "known", opensshFinds(text, knownName(host, port))]).toEqual([isFound, isFound]);
  });

  test("hashed by ssh-keygen -H", () => {
    const file = join(folder, "hashed");
    writeFileSync(file, `pi5.lab ${type} ${base64}\n[pi5.lab]:2222 ${type} ${base64}\n`);
    execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("pi5");
    const names = [["pi5.lab", 22] as const, ["pi5.lab", 2222] as const, ["pi4.lab", 22] as const];
    expect(names.map(([host, port]) => verdict(text, host, port))).toEqual(["known", "known", "unknown"]);
  });
});

describe("what a file says about a key", () => {
  test.each([
    ["nothing", "", "unknown"],
    ["comments and damage", "# pi5.lab\n\npi5.lab\n@strange pi5.lab t k\n", "unknown"],
    ["the key, with a comment", `pi5.lab ${type} ${base64} root@pi5\n`, "known"],
    ["another key", `pi5.lab ${type} ${other}\n`, "changed"],
    ["a key of another type", "pi5.lab ssh-rsa AAAA\n", "changed"],
    ["two keys", `pi5.lab ssh-rsa AAAA\npi5.lab ${type} ${base64}\n`, "known"],
    ["revoked", `pi5.lab ${type} ${base64}\n@revoked * ${type} ${base64}\n`, "revoked"],
    ["another one revoked", `pi5.lab ${type} ${base64}\n@revoked * ${type} ${other}\n`, "known"],
    ["an authority", `@cert-authority *.lab ${type} ${other}\n`, "authority"],
    ["an authority with this very key", `@cert-authority *.lab ${type} ${base64}\n`, "authority"],
    ["an authority and the key", `@cert-authority *.lab ${type} ${other}\npi5.lab ${type} ${base64}\n`, "known"],
    ["windows line ends", `pi5.lab ${type} ${base64}\r\n`, "known"],
  ])("%s: %s", (_, text, expected) => {
    expect(verdict(text)).toBe(expected);
  });

  test("a key known without a port holds for others, unless one is known there", () => {
    const plain = `pi5.lab ${type} ${base64}\n`;
    expect(verdict(plain, "pi5.lab", 2222)).toBe("known");
    expect(verdict(`${plain}[pi5.lab]:2222 ${type} ${other}\n`, "pi5.lab", 2222)).toBe("changed");
  });

  test("where it says so", () => {
    const found = judge(parseKnownHosts(`# first\npi5.lab ${type} ${other}\n`, "/etc/hosts.known"), "pi5.lab", 22, key);
    expect(found).toMatchObject({ is: "changed", at: { where: "/etc/hosts.known:2" } });
  });

  test("which types are known", () => {
    const text = `pi5.lab ecdsa-sha2-nistp256 A\n@revoked pi5.lab ssh-rsa A\n[pi5.lab]:2222 ${type} A\n`;
    expect(knownTypes(parseKnownHosts(text, ""), "pi5.lab", 22)).toEqual(["ecdsa-sha2-nistp256"]);
  });
});

test("a fingerprint is shown as ssh-keygen shows it", () => {
  expect(execFileSync("ssh-keygen", ["-lf", `${path}.pub`], { encoding: "utf8" })).toContain(fingerprint(key));
});
