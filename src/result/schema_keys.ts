// What the schemas of a result file are made of.

import { z } from "zod";

/** Every key of a record has its schema: what a result comes to hold, its file is read with. */
export type Keys<Whole> = {
  readonly [Key in keyof Whole]-?: z.ZodType<Exclude<Whole[Key], undefined>>;
};

export const count = z.int().nonnegative();
/** Some thirty years. */
export const ms = z.number().nonnegative().max(1e12);
/** FLOPs or bytes per second, beyond any machine; ms of costs are far below. */
export const rate = z.number().positive().max(1e24);
export const date = z.iso.datetime();
