// Every kernel, as a run would dispatch it, against the ceilings of one adapter.

import { kernels, type KernelName } from "../src/kernels/catalog.ts";
import { allCases } from "./cases.ts";
import { benchSuite } from "./suite.ts";

benchSuite("kernels", allCases, Object.keys(kernels) as KernelName[]);
