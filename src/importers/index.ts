import type { Importer } from "../model/recording.ts";
import { eembc } from "./eembc.ts";
import { generic } from "./generic.ts";
import { mlperfPower } from "./mlperf-power.ts";

/** Every format `joulebench import` reads. To add one: its file, and its line here. */
export const importers: readonly Importer[] = [generic, eembc, mlperfPower];
