// Completion in zsh, as a file `_shardbench` in a folder of `fpath`, or sourced after `compinit`.

import {
  planEndings,
  type CommandShape,
  type OptionShape,
  type CompletionValue,
} from "./completion_shape.ts";

export function zshScript(commands: readonly CommandShape[]): string[] {
  return [
    "#compdef shardbench",
    "_shardbench() {",
    "  if (( CURRENT == 2 )); then",
    "    local -a commands",
    "    commands=(",
    ...commands.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`),
    "    )",
    "    _describe command commands",
    "    return",
    "  fi",
    "  local command=$words[2]",
    "  shift words",
    "  (( CURRENT-- ))",
    "  case $command in",
    ...commands.flatMap(({ name, options, argument }) => [
      `    ${name})`,
      "      _arguments \\",
      ...options.flatMap((option) => optionLines(option).map((line) => `        ${line} \\`)),
      `        ${argument === undefined ? "&& return" : quoted(`*:${valueOf(argument)}`)} ;;`,
    ]),
    "  esac",
    "}",
    // As an autoloaded file it is called at once; sourced it only registers itself.
    'if [[ $funcstack[1] == _shardbench ]]; then _shardbench "$@"; else compdef _shardbench shardbench; fi',
  ];
}

function optionLines({ names, description, value }: OptionShape): string[] {
  const words = description.replaceAll(/[[\]:]/g, (sign) => `\\${sign}`);
  const all = names.length > 1 ? `(${names.join(" ")})` : "";
  return names.map((name) =>
    quoted(`${all}${name}[${words}]${value === undefined ? "" : `:${valueOf(value)}`}`),
  );
}

function valueOf(value: CompletionValue): string {
  switch (value.kind) {
    case "plan":
      return `plan:_files -g "*.(${planEndings.join("|")})"`;
    case "file":
      return "file:_files";
    case "choices":
      return `value:(${value.choices.join(" ")})`;
    case "other":
      return "value: ";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
