import { Duplex } from "node:stream";
import type { AdbSocket } from "@yume-chan/adb";

/** A service of the device as a stream of Node. Its ends are not apart: who has sent its last byte hears no more. */
export function duplexOf(socket: AdbSocket): Duplex {
  const reader = socket.readable.getReader();
  const writer = socket.writable.getWriter();
  writer.closed.catch(() => undefined); // Each write tells.
  return new Duplex({
    read() {
      reader.read().then(
        ({ value }) => this.push(value ?? null),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, done) {
      writer.write(chunk).then(() => done(), done);
    },
    final(done) {
      void socket.close();
      done();
    },
    destroy(error, done) {
      void socket.close();
      done(error);
    },
  });
}
