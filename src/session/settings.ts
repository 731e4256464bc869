import type { Setting } from "../rig/conditions.ts";
import type { Rig } from "../rig/rig.ts";
import { type DeviceCommands, onDevice } from "./device-commands.ts";

/** Settings of a cell that are in force, or may be: a command that failed half-way is undone, too. */
export class Settings {
  readonly #begun: Setting[] = [];

  /** Sets them in order. @throws JoulebenchError of the first that cannot be set */
  async apply(settings: readonly Setting[], device: DeviceCommands): Promise<void> {
    for (const setting of settings) {
      this.#begun.push(setting);
      await device.run(setting.set);
    }
  }

  /**
   * Undoes them, the last one first, each whatever became of the others; over a link of its own, since the one they
   * were set by may be gone.
   *
   * @returns what could not be undone, one sentence each
   */
  async restore(rig: Rig): Promise<string[]> {
    if (this.#begun.length === 0) return [];
    const failed: string[] = [];
    const undo = async (device: DeviceCommands): Promise<void> => {
      for (let setting = this.#begun.pop(); setting; setting = this.#begun.pop())
        await device.run(setting.restore).catch((error: unknown) => failed.push(`not restored: ${messageOf(error)}`));
    };
    await onDevice(rig, undo).catch((error: unknown) => failed.push(`${this.#begun.length} settings not restored: ${messageOf(error)}`));
    return failed;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
