// The numbers that all parts of a plan file share.

import { z } from "zod";

/** A plan of more GPUs is a typing error, and would cost memory before any rule could say so. */
export const maxGpus = 65_536;

export const count = z.int().positive().max(0x7fffffff);
