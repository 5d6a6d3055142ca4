/**
 * A quoted value of a connection string that stands in an SQL literal itself, as in CREATE SUBSCRIPTION: its quotes are doubled,
 * its escapes too. Without an end it goes to the end of the text: rather too much is struck out than too little.
 */
const nested = String.raw`''(?:\\+''|(?!'')[\s\S])*(?:''|$)`;

/** A value as connection strings, settings, JSON and SQL write it: quoted in one of four ways, or up to the next separator. */
const value = String.raw`(?:${nested}|[eE]?'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|\$(\w*)\$[\s\S]*?\$\3\$|[^\s,;&'"{}]+)`;
const secretWords = '(?:password|passwd|pwd|secret|token|api[_-]?key)';

/** `password=…`, `PGPASSWORD=…`, `db_password: …`, `"password":"…"`. */
const assignments = new RegExp(String.raw`(\b\w*${secretWords}"?)(\s*[=:]\s*)${value}`, 'gi');
/** `PASSWORD '…'`, as SQL has it; the words after a plain "password" are left. */
const sqlPasswords = /(\bpassword\s+)(?:[eE]?'(?:[^'\\]|\\.|'')*'|\$(\w*)\$[\s\S]*?\$\2\$)/gi;
/** Up to the last `@` before the host: a password may have one of its own. */
const urlPasswords = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s/]+@/gi;
const headers = /\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi;
const tokens = /\bsh_[0-9a-z]+_[\w-]+/gi;
const verifiers = /SCRAM-SHA-256\$[^\s']+/g;

/** The text with passwords, tokens and verifiers struck out; for driver errors, whose text can carry a connection string. */
export function redact(text: string): string {
  return text
    .replace(urlPasswords, '$1***@')
    .replace(headers, '$1***')
    .replace(sqlPasswords, "$1'***'")
    .replace(assignments, '$1$2***')
    .replace(tokens, 'sh_***')
    .replace(verifiers, 'SCRAM-SHA-256$***');
}
