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
    join(socket, connect).catch(() => socket.resetAndDestroy());
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

async function join(socket: Socket, connect: () => Promise<Duplex>): Promise<void> {
  const remote = await connect();
  remote.on("error", () => undefined);
  socket.once("close", () => remote.destroy());
  await Promise.all([pipeline(socket, remote), pipeline(remote, socket)]);
}
