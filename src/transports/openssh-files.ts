import { rename, rm, stat } from "node:fs/promises";
import { JoulebenchError } from "../model/errors.ts";
import type { OpensshClient } from "./openssh-client.ts";
import { PART } from "./ssh-files.ts";

/** Copies a file to the device, with its mode. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export async function pushBySftp(client: OpensshClient, local: string, remote: string): Promise<void> {
  const part = remote + PART;
  await copying(client, `${local} to ${remote}`, async () => {
    const mode = ((await stat(local)).mode & 0o7777).toString(8);
    try {
      await client.sftp([`put ${path(local)} ${path(part)}`, `chmod ${mode} ${path(part)}`, `rename ${path(part)} ${path(remote)}`]);
    } catch (error) {
      if ((error as JoulebenchError).kind === "config") await client.sftp([`-rm ${path(part)}`]).catch(() => undefined);
      throw error;
    }
  });
}

/** Copies a file from the device, with its permissions. @throws JoulebenchError `config` when one of the paths is wrong; `link` */
export async function pullBySftp(client: OpensshClient, remote: string, local: string): Promise<void> {
  const part = local + PART;
  await copying(client, `${remote} to ${local}`, async () => {
    try {
      await client.sftp([`get -p ${path(remote)} ${path(part)}`]);
      await rename(part, local);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  });
}

async function copying(client: OpensshClient, what: string, copy: () => Promise<void>): Promise<void> {
  try {
    await copy();
  } catch (error) {
    const kind = error instanceof JoulebenchError ? error.kind : "config";
    throw new JoulebenchError(kind, client.name, `cannot copy ${what}: ${(error as Error).message}`, { cause: error });
  }
}

/** A path as sftp reads it: between double quotes, where a backslash takes the meaning from what follows. */
function path(name: string): string {
  if (/[\n\r\0]/.test(name)) throw new Error("sftp takes no name with a line break; use the transport `ssh`");
  const relative = name.startsWith("-") ? `./${name}` : name;
  return `"${relative.replaceAll(/["\\]/g, "\\$&")}"`;
}
