import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Forward } from "../model/transport.ts";

/**
 * A port on this host's loopback interface, each connection of which is one to the device.
 *
 * @param connect one connection to the device; what cannot be connected is reset, as a port on which nobody listens
 */
export async function forwardBy(connect: () => Promise<Duplex>): Promise<Forward> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // Its pipelines tell.
    connect().then(
      (remote) => join(socket, remote).catch(() => socket.resetAndDestroy()),
      () => refuse(socket),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** How long a client that waits to be spoken to first is kept waiting. */
const FIRST_WORDS_MS = 1000;

/**
 * Resets a connection that was accepted here and refused there, once its client has said something: an HTTP client that
 * loses a connection before it has used it takes another, and does so for ever.
 */
function refuse(socket: Socket): void {
  const reset = (): void => {
    clearTimeout(late);
    socket.resetAndDestroy();
  };
  if (socket.destroyed) return;
  const late = setTimeout(reset, FIRST_WORDS_MS);
  if (socket.readableLength > 0) reset();
  else socket.once("readable", reset).once("close", () => clearTimeout(late));
}

async function join(socket: Socket, remote: Duplex): Promise<void> {
  remote.on("error", () => undefined);
  socket.once("close", () => remote.destroy());
  await Promise.all([pipeline(socket, remote), pipeline(remote, socket)]);
}
