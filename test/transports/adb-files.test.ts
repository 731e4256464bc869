import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { openAdb, optionsFor } from "./adb-bench.ts";

const TMP = "/data/local/tmp";
let folder: string;

describe.each([
  ["a phone", undefined],
  ["an old phone, whose adbd has no stat v2", ["shell_v2", "cmd"]],
])("%s", (_, features) => {
  let phone: Phone;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "joulebench-files-"));
    phone = await startPhone(features ? { features } : {});
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await phone?.close();
  });

  const names = (): string[] => readdirSync(phone.at("data/local/tmp"));

  test("20 MB go there and come back, with their mode", async () => {
    const [source, copy] = [join(folder, "model.gguf"), join(folder, "copy.gguf")];
    const bytes = randomBytes(20 << 20);
    writeFileSync(source, bytes);
    chmodSync(source, 0o751);
    const transport = await openAdb(optionsFor(phone));
    await transport.push(source, `${TMP}/it's a model.gguf`);
    expect(names()).toEqual(["it's a model.gguf"]);
    const there = phone.at("data/local/tmp/it's a model.gguf");
    expect(readFileSync(there).equals(bytes)).toBe(true);
    expect(statSync(there).mode & 0o777).toBe(0o751);
    await transport.pull(`${TMP}/it's a model.gguf`, copy);
    expect(readFileSync(copy).equals(bytes)).toBe(true);
    expect(statSync(copy).mode & 0o777).toBe(0o751);
  }, 60_000);

  test("what is there is replaced, also by nothing", async () => {
    const transport = await openAdb(optionsFor(phone));
    writeFileSync(join(folder, "empty"), "");
    phone.write("data/local/tmp/old", "old content");
    await transport.push(join(folder, "empty"), `${TMP}/old`);
    expect(readFileSync(phone.at("data/local/tmp/old"), "utf8")).toBe("");
    writeFileSync(join(folder, "here"), "old content");
    await transport.pull(`${TMP}/old`, join(folder, "here"));
    expect(readFileSync(join(folder, "here"), "utf8")).toBe("");
  });

  test("files of the kernel are read to their end, whatever size they say they have", async () => {
    const transport = await openAdb(optionsFor(phone));
    await transport.pull("/proc/sys/kernel/random/boot_id", join(folder, "boot_id"));
    expect(readFileSync(join(folder, "boot_id"), "utf8").trim()).toBe(phone.boot_id);
    await transport.pull("/proc/version", join(folder, "version"));
    expect(readFileSync(join(folder, "version"), "utf8")).toMatch(/^Linux version /);
  });

  test("a wrong path is a mistake of the rig and leaves nothing", async () => {
    const transport = await openAdb(optionsFor(phone));
    const before = names();
    writeFileSync(join(folder, "some"), "some");
    const mistake = (message: RegExp) => ({ kind: "config", message: expect.stringMatching(message) });
    await expect(transport.push(join(folder, "none"), `${TMP}/a`)).rejects.toMatchObject(mistake(/cannot copy .*none to .*ENOENT/));
    await expect(transport.push(join(folder, "some"), TMP)).rejects.toMatchObject(mistake(/is a folder/));
    await expect(transport.push(folder, `${TMP}/a`)).rejects.toMatchObject(mistake(/is no file/));
    await expect(transport.push(join(folder, "some"), `${TMP}/new/`)).rejects.toMatchObject(mistake(/names a folder/));
    await expect(transport.push(join(folder, "some"), "/proc/some")).rejects.toMatchObject(mistake(/couldn't create file/));
    await expect(transport.pull(`${TMP}/none`, join(folder, "got"))).rejects.toMatchObject(mistake(/ENOENT/));
    await expect(transport.pull(TMP, join(folder, "got"))).rejects.toMatchObject(mistake(/is a folder/));
    await expect(transport.pull("/proc/version", join(folder, "no/such/folder"))).rejects.toMatchObject(mistake(/ENOENT/));
    expect(names()).toEqual(before);
    expect(existsSync(join(folder, "got"))).toBe(false);
  });

  test("a link to a folder is a folder, and nothing is put into it", async () => {
    const transport = await openAdb(optionsFor(phone));
    writeFileSync(join(folder, "some"), "some");
    mkdirSync(phone.at("data/local/there"));
    symlinkSync("there", phone.at("data/local/link"));
    await expect(transport.push(join(folder, "some"), "/data/local/link")).rejects.toMatchObject({ kind: "config" });
    expect(readdirSync(phone.at("data/local/there"))).toEqual([]);
    expect(readdirSync(phone.at("data/local")).sort()).toEqual(["link", "there", "tmp"]);
  });

  test("a file here that cannot be read to its end is told at once", async () => {
    const transport = await openAdb(optionsFor(phone, { answer_timeout_s: 60 }));
    // The kernel says that it is a file, and then EIO: nothing is mapped at address 0.
    await expect(transport.push("/proc/self/mem", `${TMP}/mem`)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/EIO/),
    });
    expect(names()).not.toContain("mem.joulebench-part");
  });

  test("a link that is lost on the way leaves no half of a file under its name", async () => {
    const transport = await openAdb(optionsFor(phone));
    writeFileSync(join(folder, "big"), randomBytes(20 << 20));
    const pushed = transport.push(join(folder, "big"), `${TMP}/big`);
    await expect.poll(() => existsSync(phone.at("data/local/tmp/big.joulebench-part")), { interval: 1 }).toBe(true);
    phone.dropTransports();
    await expect(pushed).rejects.toMatchObject({ kind: "link" });
    expect(names()).not.toContain("big");
  });
});
