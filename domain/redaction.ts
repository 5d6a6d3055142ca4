/** Two quotes, four, eight for one, and those of the value's own that it may begin with. */
const opening = [2, 4, 8].map((count) => `(?<inner>'{${count}})(?:'{${2 * count}})*(?!')`).join('|');

/**
 * A value whose quotes are doubled, once or more: a connection string in an SQL literal, SQL in SQL. A run of quotes ends it unless
 * each one in it has its twin: then it is a quote of the value's own. After a backslash it is one, too.
 */
const nested = String.raw`(?:e|u&)?(?:${opening})[\s\S]*?(?:(?<!['\\])(?:\k<inner>\k<inner>)*\k<inner>(?!\k<inner>)|$)`;

/** JSON in JSON: its quotes have backslashes before them, those of the value have more of them. Twins are SQL's. */
const escaped = String.raw`(?:e|u&)?(?<escaped>\\+["'])[\s\S]*?(?:(?<!["'\\])(?:\k<escaped>\k<escaped>)*\k<escaped>(?!\k<escaped>)|$)`;

/**
 * However many backslashes stand before quotes, they may be the value's. Like the others, without an end it goes to the end of the
 * text: rather too much is struck out than too little.
 */
const within = (quote: string): string =>
  String.raw`${quote}(?:[^${quote}\\]|\\+(?:${quote}+|[^${quote}\\])|${quote}${quote})*(?:${quote}|\\*$)`;
const literal = `(?:e|u&)?${within("'")}`;
const dollars = String.raw`\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$)`;

/** Up to a blank, but for what closes a quote or a bracket around it all. A password may have commas and quotes of its own. */
const word = String.raw`(?:(?!(?:\\*["'${'`'}]|[\])}>;,])*(?:\s|$))(?:\\+[\s\S]|\S))+`;

/** A value as connection strings, settings, JSON, JavaScript and SQL write it. */
const value = `(?:${[nested, escaped, literal, within('"'), within('`'), dollars, word].join('|')})`;
const secretWords = '(?:password|passwd|pwd|secret|token|api[_-]?key)';

/** Each is what stands before a secret, then the secret. */
const patterns: readonly RegExp[] = [
  // `password=…`, `PGPASSWORD=…`, `db_password: …`, `"password":"…"`, `password => …`, `password%3D…`; in an address up to `&`.
  new RegExp(String.raw`((?<![?&])\b\w*${secretWords}\\*["']?\s*(?:[=:]>?|%3D|%3A)\s*)${value}`, 'gi'),
  new RegExp(String.raw`([?&]\w*${secretWords}=)[^\s&'"]+`, 'gi'),
  // `PASSWORD '…'`, as SQL has it; the words after a plain "password" are left.
  new RegExp(String.raw`(\bpassword\s+)(?:${[nested, escaped, literal, dollars].join('|')})`, 'gi'),
  // Addresses, up to the last `@` of the word: a password may have one of its own, and a slash. A port is none.
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@[]*:)(?!\d{1,5}(?:[/?#]|$))\S{1,2000}(?=@)/gi,
  /(%3A%2F%2F[^\s%]*%3A)\S{1,2000}(?=%40)/gi,
  // Without the header's name only what looks like a token: "basic authentication" are words.
  /(\bauthorization["']?\s*[=:]\s*["']?(?:bearer|basic)\s+)[^\s"',]+/gi,
  /(\b(?:bearer|basic)\s+)(?=[\w.~+/-]*[\d=])[\w.~+/=-]{8,}/gi,
  // Long enough to be a token of ours: a table may be called sh_orders_old.
  /(\bsh_)(?:[0-9a-f]{12}_[\w-]+|[0-9a-z]+_[\w-]{16,})/gi,
  /(SCRAM-SHA-256\$)[^\s']+/g,
];

/** The text with passwords, tokens and verifiers struck out; for driver errors, whose text can carry a connection string. */
export function redact(text: string): string {
  const secrets = patterns.flatMap((pattern) => placesOf(pattern, text)).toSorted((a, b) => a.from - b.from);
  let shown = '';
  let end = 0;
  for (const { from, to } of secrets) {
    if (from >= end) shown += `${text.slice(end, from)}***`;
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
}

interface Place {
  readonly from: number;
  readonly to: number;
}

/** Also those that begin inside another: a quote that is never closed goes up to the one that opens the next. */
function placesOf(pattern: RegExp, text: string): Place[] {
  const places: Place[] = [];
  const search = new RegExp(pattern);
  for (let match = search.exec(text); match !== null; match = search.exec(text)) {
    const from = match.index + (match[1]?.length ?? 0);
    const to = match.index + match[0].length;
    places.push({ from, to });
    if (to === text.length) break;
    search.lastIndex = from;
  }
  return places;
}
