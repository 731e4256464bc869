import type { TransportKind } from "../model/transport.ts";
import { adb } from "./adb.ts";
import { ios } from "./ios.ts";
import { local } from "./local.ts";
import { openssh } from "./openssh.ts";
import { ssh } from "./ssh.ts";

export { attachedAndroids, type ListedDevice } from "./adb-server.ts";
export { attachedPhones } from "./ios-devices.ts";

/** Every way to reach a device under test; the rig names one by its `kind`. */
export const transports: readonly TransportKind[] = [local, adb, ssh, openssh, ios];
