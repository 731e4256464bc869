import { z } from "zod";

const DEFAULT_SERVER_PORT = 5037;
const Port = z.int().min(1).max(65535);

export const AdbOptions = z.strictObject({
  serial: z
    .string()
    .min(1)
    .optional()
    .describe("Which device, as `adb devices` calls it, or `host:port` of one in the network; needed where several are connected"),
  server_port: Port.optional().describe("Where the adb server listens; by default $ANDROID_ADB_SERVER_PORT, else 5037"),
  adb: z.string().min(1).default("adb").describe("The adb program"),
  network_port: Port.default(5555).describe("Where adbd of the device is to listen when the link changes from USB to Wi-Fi"),
  answer_timeout_s: z.number().positive().max(600).default(10).describe("A device or server that takes longer to answer counts as lost"),
});

export type AdbOptions = z.infer<typeof AdbOptions>;

export const serverPortOf = ({ server_port }: AdbOptions): number =>
  server_port ?? (Number(process.env.ANDROID_ADB_SERVER_PORT) || DEFAULT_SERVER_PORT);

/** Devices in the network are known by their address; `adb connect` is for them alone. */
export const isAddress = (serial: string): boolean => /^.+:\d{1,5}$/.test(serial);
