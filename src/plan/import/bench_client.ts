// A program that sends requests to a server which another command starts: it lays nothing out, and says how many requests
// there are, how long, and how often they come.

import { readFlags } from "./command_flags.ts";
import type { Invocation } from "./invocation.ts";
import type { ImportedServing } from "./note.ts";
import { benchFlags, requestsOfClient } from "./serving_flags.ts";

const grammar = {
  switches: new Set(["--disable-tqdm", "--ignore-eos", "--save-result", "--trust-remote-code"]),
  aliases: {},
};

/** Of several clients, what the first says; nothing where a script decides it while it runs. */
export function requestsOf(clients: readonly Invocation[]): ImportedServing | undefined {
  for (const client of clients) {
    const flags = readFlags(client, grammar);
    const found = requestsOfClient(flags, benchFlags);
    const isBroken = flags.diagnostics.some(({ severity }) => severity === "error");
    if (!isBroken && Object.keys(found).length > 0) return found;
  }
  return undefined;
}
