// Completion in bash 3.2 and later, without the bash-completion package.

import { planEndings, type CommandShape, type CompletionValue } from "./completion_shape.ts";

export function bashScript(commands: readonly CommandShape[]): string[] {
  return [
    "# shardbench completion for bash: source it, or put it where bash-completion looks.",
    "_shardbench() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" cmd="${COMP_WORDS[1]}"',
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), "help", "--help", "--version"].join(" ")}" -- "$cur"))`,
    "    return",
    "  fi",
    '  case "$cmd $prev" in',
    ...commands.flatMap(({ name, options }) =>
      options.flatMap(({ names, value }) =>
        value === undefined
          ? []
          : [
              `    ${names.map((each) => `"${name} ${each}"`).join("|")}) ${valueOf(value)}; return ;;`,
            ],
      ),
    ),
    "  esac",
    '  case "$cmd" in',
    ...commands.flatMap(({ name, options, argument }) => [
      `    ${name})`,
      '      case "$cur" in',
      `        -*) COMPREPLY=($(compgen -W "${options.flatMap(({ names }) => names).join(" ")}" -- "$cur")) ;;`,
      `        *) ${argument === undefined ? ":" : valueOf(argument)} ;;`,
      "      esac ;;",
    ]),
    `    help) COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$cur")) ;;`,
    "  esac",
    "}",
    "_shardbench_files() {",
    // Names may have spaces: one per line. Folders count as files too.
    "  local IFS=$'\\n'",
    "  COMPREPLY=($({",
    '    compgen -d -- "$cur"',
    '    for end in "$@"; do compgen -f -X "!*$end" -- "$cur"; done',
    "  } | sort -u))",
    "}",
    "complete -o filenames -F _shardbench shardbench",
  ];
}

function valueOf(value: CompletionValue): string {
  switch (value.kind) {
    case "plan":
      return `_shardbench_files ${planEndings.map((ending) => `.${ending}`).join(" ")}`;
    case "file":
      return "_shardbench_files ''";
    case "choices":
      return `COMPREPLY=($(compgen -W "${value.choices.join(" ")}" -- "$cur"))`;
    case "other":
      return ":";
  }
}
