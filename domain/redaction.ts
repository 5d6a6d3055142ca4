/** Words whose value never belongs into a text that somebody reads. */
const assignments = /\b(password|passwd|pwd|secret|token|api[_-]?key|sslpassword)(\s*[=:]\s*)('(?:[^'\\]|\\.|'')*'|"[^"]*"|[^\s,;&'"]+)/gi;
const urlPasswords = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:)[^\s@/]+@/gi;
const bearers = /\b(bearer\s+)[\w.~+/=-]+/gi;
const tokens = /\bsh_[0-9a-z]+_[\w-]+/gi;
const verifiers = /SCRAM-SHA-256\$[^\s']+/g;
const sqlPasswords = /\b(password\s+)'(?:[^']|'')*'/gi;

/** The text with passwords, tokens and verifiers struck out; for driver errors, whose text can carry a connection string. */
export function redact(text: string): string {
  return text
    .replace(urlPasswords, '$1***@')
    .replace(sqlPasswords, "$1'***'")
    .replace(assignments, '$1$2***')
    .replace(bearers, '$1***')
    .replace(tokens, 'sh_***')
    .replace(verifiers, 'SCRAM-SHA-256$***');
}
