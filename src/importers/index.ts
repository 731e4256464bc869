import type { Importer } from "../model/recording.ts";
import { eembc } from "./eembc.ts";
import { faiPepCsv } from "./fai-pep-csv.ts";
import { generic } from "./generic.ts";
import { joulescopeCsv } from "./joulescope-csv.ts";
import { melt } from "./melt.ts";
import { mlperfPower } from "./mlperf-power.ts";
import { monsoonCsv } from "./monsoon-csv.ts";
import { ppk2Csv } from "./ppk2-csv.ts";

/** Every format `joulebench import` reads. To add one: its file, and its line here. */
export const importers: readonly Importer[] = [generic, eembc, mlperfPower, monsoonCsv, ppk2Csv, joulescopeCsv, faiPepCsv, melt];
