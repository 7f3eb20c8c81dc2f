// What becomes of the keys that an importer did not use: listed, never dropped.

import type { ImportedFields } from "./fields.ts";
import { shown } from "./note.ts";

/** @param withoutBearing keys that change neither sizes nor work, dotted as they are nested */
export function listUnreadKeys(fields: ImportedFields, withoutBearing: RegExp): void {
  const rest = fields.unread();
  const silent = rest.filter((key) => withoutBearing.test(key));
  if (silent.length > 0) {
    const message = `these keys change neither sizes nor work: ${silent.join(", ")}`;
    fields.report("info", "keys-without-bearing", message, []);
  }
  for (const key of rest) {
    if (silent.includes(key)) continue;
    const message = `the key ${shown(key)} is not understood, and not in the plan`;
    fields.report("warning", "key-not-understood", message, key.split("."));
  }
}
