import { close, closeSync, constants, open } from "node:fs";
import type { ConnectOpts, SocketConstructorOpts } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";

/** A terminal device gives at most 4095 bytes per read. */
const READ_BYTES = 4096;

/**
 * The read side of a terminal device that somebody else has configured. It is paused until `resume`.
 *
 * Ends, or fails, as soon as the device is gone. On a descriptor of its own, because a ReadStream reopens the device
 * over the one it is given, which would drop a lock held on that.
 *
 * @param take gets the bytes of one read, in a buffer that the next read overwrites, at that read; false pauses.
 * @throws Error of the system when the device cannot be opened or is no terminal.
 */
export async function openReader(device: string, take: (bytes: Uint8Array) => boolean): Promise<ReadStream> {
  const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
  const fd = await promisify(open)(device, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
  if (!isatty(fd)) {
    await promisify(close)(fd);
    throw new Error("it is no terminal device");
  }
  // `onread` bypasses the stream's buffer, so that `take` runs at the read and a pause takes effect at once.
  const onread = { buffer: new Uint8Array(READ_BYTES), callback: (count: number, bytes: Uint8Array) => take(bytes.subarray(0, count)) };
  const options: SocketConstructorOpts & ConnectOpts = { readable: true, onread };
  const reader = new ReadStream(fd, options);
  // libuv closes the descriptor it reads. That is ours only where it could not reopen the device: else ours is left over.
  const { fd: reads } = (reader as unknown as { _handle: { fd?: number } })._handle;
  if (reads !== undefined && reads !== fd) closeSync(fd);
  return reader;
}
