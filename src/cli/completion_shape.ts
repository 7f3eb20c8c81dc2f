// What a completion needs to know of the command line.

import type { Argument, Command, Option } from "commander";

export type CompletionValue =
  | { readonly kind: "plan" }
  | { readonly kind: "file" }
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  /** Nobody can guess it: a number, say. */
  | { readonly kind: "other" };

export interface OptionShape {
  /** Short and long, as far as it has them. */
  readonly names: readonly string[];
  readonly description: string;
  /** Absent where the option takes none. */
  readonly value?: CompletionValue;
}

export interface CommandShape {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionShape[];
  readonly argument?: CompletionValue;
}

/** Endings of plan files. */
export const planEndings = ["json", "yaml", "yml"];

export function shapesOf(program: Command): CommandShape[] {
  return program.commands.map((command) => {
    const [argument] = command.registeredArguments;
    return {
      name: command.name(),
      summary: command.summary(),
      options: [
        ...command.options.map(optionShape),
        { names: ["-h", "--help"], description: "show the command's use" },
      ],
      ...(argument === undefined ? {} : { argument: argumentValue(argument) }),
    };
  });
}

function optionShape(option: Option): OptionShape {
  return {
    names: [option.short, option.long].flatMap((name) => name ?? []),
    description: option.description,
    ...(option.required || option.optional
      ? {
          value: valueOf(/<([^>]*)>|\[([^\]]*)\]/.exec(option.flags)?.[1] ?? "", option.argChoices),
        }
      : {}),
  };
}

function argumentValue(argument: Argument): CompletionValue {
  return argument.argChoices === undefined && /file|plan|source/i.test(argument.name())
    ? { kind: "plan" }
    : valueOf(argument.name(), argument.argChoices);
}

function valueOf(name: string, choices: readonly string[] | undefined): CompletionValue {
  if (choices !== undefined) return { kind: "choices", choices };
  return /file|path|dir|folder/i.test(name) ? { kind: "file" } : { kind: "other" };
}
