import { type BigIntStats, lstatSync, statSync } from "node:fs";
import { chmod, mkdir, open, readdir, rm, utimes } from "node:fs/promises";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { DeviceStream } from "./device-stream.ts";
import { Incoming } from "./incoming.ts";

/** Largest piece of a file (SYNC_DATA_MAX). */
const DATA_BYTES = 64 * 1024;
const MODE = 0o777;

/** `sync:`: files of the device, which lie below `root` (AOSP adb/SYNC.TXT). */
export async function serveSync(root: string, stream: DeviceStream): Promise<void> {
  const incoming = new Incoming(stream);
  stream.accept();
  try {
    while (true) {
      const { id, value } = await header(incoming);
      if (id === "QUIT") break;
      const path = (await incoming.read(value)).toString("utf8");
      await answer({ id, path, root, incoming, stream });
    }
  } catch {
    // The other end has gone.
  }
  await stream.end();
}

interface Request {
  readonly id: string;
  readonly path: string;
  readonly root: string;
  readonly incoming: Incoming;
  readonly stream: DeviceStream;
}

async function answer(request: Request): Promise<void> {
  const { id, path, root, stream } = request;
  const at = join(root, path);
  if (id === "STAT") await stream.write(Buffer.concat([Buffer.from("STAT"), short(probe(() => lstatSync(at, { bigint: true })))]));
  else if (id === "LST2") await stream.write(Buffer.concat([Buffer.from("LST2"), long(probe(() => lstatSync(at, { bigint: true })))]));
  else if (id === "STA2") await stream.write(Buffer.concat([Buffer.from("STA2"), long(probe(() => statSync(at, { bigint: true })))]));
  else if (id === "LIST" || id === "LIS2") await list(at, id === "LIS2", stream);
  else if (id === "RECV") await send(at, stream);
  else if (id === "SEND") await receive(request);
  else await stream.write(failure(`unknown command ${id}`));
}

async function header(incoming: Incoming): Promise<{ id: string; value: number }> {
  const bytes = await incoming.read(8);
  return { id: bytes.toString("latin1", 0, 4), value: bytes.readUInt32LE(4) };
}

function tagged(id: string, value: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, "latin1");
  head.writeUInt32LE(value, 4);
  return Buffer.concat([head, data]);
}

const failure = (message: string): Buffer => tagged("FAIL", Buffer.byteLength(message), Buffer.from(message));

type Found = BigIntStats | NodeJS.ErrnoException;

function probe(stat: () => BigIntStats): Found {
  try {
    return stat();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** Mode, size and time, all zero when there is no such file. */
function short(found: Found): Buffer {
  const bytes = Buffer.alloc(12);
  if (found instanceof Error) return bytes;
  [found.mode, found.size, found.mtimeMs / 1000n].forEach((each, at) => {
    bytes.writeUInt32LE(Number(each & 0xffffffffn), at * 4);
  });
  return bytes;
}

/** Errno, device, inode, mode, links, user, group, size and three times. */
function long(found: Found): Buffer {
  const bytes = Buffer.alloc(68);
  if (found instanceof Error) {
    bytes.writeUInt32LE(constants.errno[found.code as keyof typeof constants.errno] ?? constants.errno.EIO);
    return bytes;
  }
  bytes.writeBigUInt64LE(found.dev, 4);
  bytes.writeBigUInt64LE(found.ino, 12);
  [found.mode, found.nlink, found.uid, found.gid].forEach((each, at) => {
    bytes.writeUInt32LE(Number(each), 20 + at * 4);
  });
  [found.size, found.atimeMs / 1000n, found.mtimeMs / 1000n, found.ctimeMs / 1000n].forEach((each, at) => {
    bytes.writeBigUInt64LE(each, 36 + at * 8);
  });
  return bytes;
}

async function list(at: string, isLong: boolean, stream: DeviceStream): Promise<void> {
  const names = await readdir(at).catch(() => []);
  const describe = isLong ? long : short;
  for (const name of names) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(name));
    const entry = describe(probe(() => lstatSync(join(at, name), { bigint: true })));
    await stream.write(Buffer.concat([Buffer.from(isLong ? "DNT2" : "DENT"), entry, length, Buffer.from(name)]));
  }
  await stream.write(Buffer.concat([Buffer.from("DONE"), Buffer.alloc(isLong ? 72 : 16)]));
}

async function send(at: string, stream: DeviceStream): Promise<void> {
  try {
    const file = await open(at);
    try {
      const piece = Buffer.alloc(DATA_BYTES);
      for (let read = await file.read(piece); read.bytesRead > 0 && !stream.isOver; read = await file.read(piece))
        await stream.write(tagged("DATA", read.bytesRead, piece.subarray(0, read.bytesRead)));
    } finally {
      await file.close();
    }
    await stream.write(tagged("DONE", 0));
  } catch (error) {
    await stream.write(failure(`open failed: ${(error as Error).message}`));
  }
}

/** What comes is read to its end, also when it cannot be kept. */
async function receive({ path, root, incoming, stream }: Request): Promise<void> {
  const comma = path.lastIndexOf(",");
  const at = join(root, path.slice(0, comma));
  const mode = Number(path.slice(comma + 1)) & MODE;
  await mkdir(dirname(at), { recursive: true }).catch(() => undefined);
  await rm(at, { force: true }).catch(() => undefined);
  const file = await open(at, "w", mode).catch((error: Error) => error);
  try {
    while (true) {
      const { id, value } = await header(incoming);
      if (id === "DONE") {
        if (file instanceof Error) return await stream.write(failure(`couldn't create file: ${file.message}`));
        await chmod(at, mode);
        await utimes(at, value, value);
        return await stream.write(tagged("OKAY", 0));
      }
      const data = await incoming.read(value);
      if (!(file instanceof Error)) await file.write(data);
    }
  } finally {
    if (!(file instanceof Error)) await file.close();
  }
}
