// shardbench completion: a script that lets a shell complete commands, options and plan files. It is made
// from the commands themselves, so that it cannot fall behind them.

import { Argument, type Command } from "commander";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printLines } from "./output.ts";

const shells = ["bash", "zsh", "fish"] as const;

type Shell = (typeof shells)[number];

export function defineCompletion(program: Command): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(shells))
    .summary("print a script that completes commands and options")
    .description("Prints a completion script for bash, zsh or fish.")
    .addHelpText(
      "after",
      `
Examples:
  $ source <(shardbench completion bash)
  $ shardbench completion zsh > ~/.zfunc/_shardbench
  $ shardbench completion fish > ~/.config/fish/completions/shardbench.fish`,
    )
    .action((shell: Shell) => guarded(false, () => completion(program, shell)));
}

async function completion(program: Command, shell: Shell): Promise<ExitCode> {
  const [{ shapesOf }, { bashScript }, { zshScript }, { fishScript }] = await Promise.all([
    import("./completion_shape.ts"),
    import("./completion_bash.ts"),
    import("./completion_zsh.ts"),
    import("./completion_fish.ts"),
  ]);
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  printLines(scripts[shell](shapesOf(program)));
  return exitCodes.fine;
}
