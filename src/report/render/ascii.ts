// Terminals without UTF-8: every sign that our pictures and tables use has one in ASCII, as wide as itself.

const signs: Readonly<Record<string, string>> = {
  "─": "-",
  "═": "=",
  "│": "|",
  "▼": "v",
  "→": ">",
  "↔": "=",
  "↑": "^",
  "×": "x",
  "·": "*",
  "…": "~",
  "–": "-",
  "≥": ">",
  "≤": "<",
  "−": "-",
};
const corners = /[┌┐└┘├┤┬┴┼╭╮╰╯]/gu;

/** Names that a plan brings stay as they are. */
export function asciiText(text: string): string {
  return text
    .replaceAll(corners, "+")
    .replaceAll(/[─═│▼→↔↑×·…–≥≤−]/gu, (sign) => signs[sign] ?? sign);
}

/** By the locale, as POSIX ranks its variables; a Windows terminal takes UTF-8. */
export function isUnicodeTerminal(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
): boolean {
  if (platform === "win32") return true;
  const { LC_ALL, LC_CTYPE, LANG } = env;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== "");
  return /utf-?8/i.test(locale ?? "");
}
