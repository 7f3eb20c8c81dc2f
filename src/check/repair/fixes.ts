// Every fix, by the code of the diagnostic that it answers to.

import type { Fix } from "./fix.ts";
import { communicationFixes } from "./fixes_communications.ts";
import { degreeFixes } from "./fixes_degrees.ts";
import { formFixes } from "./fixes_form.ts";
import { layerFixes } from "./fixes_layers.ts";
import { tensorGroupFixes } from "./fixes_tensor_group.ts";

export const fixes: Readonly<Partial<Record<string, Fix>>> = {
  ...formFixes,
  ...degreeFixes,
  ...tensorGroupFixes,
  ...layerFixes,
  ...communicationFixes,
};
