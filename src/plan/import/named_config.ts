// A config that a command only names: it is a source of its own.

import type { CommandFlags } from "./command_flags.ts";
import { shown } from "./note.ts";

export function listNamedConfig(flags: CommandFlags, names: readonly string[]): void {
  for (const flag of names) {
    const config = flags.has(flag) ? flags.text(flag) : undefined;
    // Written by the text itself, it is read with it.
    if (config === undefined || flags.invocation.files.has(config)) continue;
    const message = `the layout is completed by ${shown(config)}, which this command only names`;
    flags.report("info", "config-named", message, flag, "give that file as a source too");
  }
}
