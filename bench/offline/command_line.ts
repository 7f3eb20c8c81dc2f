// The built command line, as arguments of Node.

import { fileURLToPath } from "node:url";

// Resolves only where this is built: `dist` lies beside it there.
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export function commandLine(...command: readonly string[]): string[] {
  return [main, ...command];
}
