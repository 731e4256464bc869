/**
 * One "what time is it?" asked of the device.
 *
 * `sent_s` and `received_s` are on the session clock, `deviceReceived` and `deviceSent` on the device's, in seconds.
 */
export interface Ping {
  readonly source: string;
  readonly epoch: number;
  readonly sent_s: number;
  readonly received_s: number;
  readonly deviceReceived: number;
  readonly deviceSent: number;
}
