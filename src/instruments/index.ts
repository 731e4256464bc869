import type { InstrumentKind } from "../model/instrument.ts";
import { bridgeIna219 } from "./bridge-ina219.ts";

/** Every power monitor a rig may name. A new one is a new file and one line here. */
export const instruments: readonly InstrumentKind[] = [bridgeIna219];
