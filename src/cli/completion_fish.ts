// Completion in fish.

import { planEndings, type CommandShape, type CompletionValue } from "./completion_shape.ts";

export function fishScript(commands: readonly CommandShape[]): string[] {
  return [
    "# shardbench completion for fish",
    "complete -c shardbench -f",
    ...commands.flatMap(({ name, summary, options, argument }) => [
      `complete -c shardbench -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...options.map(({ names, description, value }) =>
        [
          `complete -c shardbench -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`,
          ...names.map((each) =>
            each.startsWith("--") ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`,
          ),
          `-d ${quoted(description)}`,
          ...(value === undefined ? [] : [valueOf(value)]),
        ].join(" "),
      ),
      ...(argument === undefined
        ? []
        : [
            `complete -c shardbench -n ${quoted(`__fish_seen_subcommand_from ${name}`)} ${argumentOf(argument)}`,
          ]),
    ]),
  ];
}

function valueOf(value: CompletionValue): string {
  if (value.kind === "file" || value.kind === "plan") return "-r -F";
  return value.kind === "choices" ? `-x -a ${quoted(value.choices.join(" "))}` : "-x";
}

function argumentOf(value: CompletionValue): string {
  if (value.kind === "choices") return `-a ${quoted(value.choices.join(" "))}`;
  const endings = planEndings.map((ending) => `.${ending}`).join(" ");
  return value.kind === "plan" ? `-k -a ${quoted(`(__fish_complete_suffix ${endings})`)}` : "-F";
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
