// What is known of a program that starts other programs.

import type { Launch, Word } from "../invocation.ts";
import type { LauncherOptions } from "./launch.ts";
import type { OptionGrammar } from "./options.ts";

/** A variable that the launcher sees. */
export type ShellVariables = (name: string) => Word | undefined;

export interface Launcher extends OptionGrammar {
  /** Words between the options and the command: a duration, an image, a host. */
  readonly skips?: number;
  /** Sub-commands that start a program, such as `run` of docker. Options may stand on both sides. */
  readonly verbs?: readonly string[];
  /** The command is one text that a shell reads, whatever words it has. */
  readonly remote?: boolean;
  /** The program runs in a container or on another machine, which does not inherit variables. */
  readonly isolated?: boolean;
  /** What follows is a Python script, or a module after -m. */
  readonly python?: boolean;
  readonly launch?: (
    options: LauncherOptions,
    outer: Launch,
    environment: ShellVariables,
  ) => Partial<Pick<Launch, "ranks" | "nodes" | "gpus">>;
}
