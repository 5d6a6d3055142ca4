import { isBlank, remembered, type Finder } from './place.ts';

/** How an address writes `://`, `:` and `@`; an address in an address has them encoded, perhaps again. */
const forms = [
  { scheme: /(?<=[a-z0-9+.-]):\/\//gi, colon: /[^\s:/@[]*:/y, at: /@/g },
  { scheme: /%(?:25){0,3}3A%(?:25){0,3}2F%(?:25){0,3}2F/gi, colon: /[^\s%]*%(?:25){0,3}3A/iy, at: /%(?:25){0,3}40/gi },
] as const;

/** A port, not a password. */
const port = /\d{1,5}(?:[/?#]|["'`](?:[,;)\]}\s]|$)|$)/y;

/** `scheme://user:password@host`: up to the last `@` of the word, since a password may have one of its own, and a slash. */
export const addressSecrets: Finder = function* (text, { cut }) {
  for (const { scheme, colon, at } of forms) {
    const wordEnd = remembered((from) => endOfWord(text, from));
    const lastAt = lastOf(text, at, wordEnd);
    for (const { 0: sign, index } of text.matchAll(scheme)) {
      colon.lastIndex = index + sign.length;
      if (!colon.test(text)) continue;
      const from = colon.lastIndex;
      const place = { from, to: lastAt(from) ?? (cut && wordEnd(from) === text.length ? text.length : from) };
      if (place.to > from && !isPort(text, from)) yield place;
    }
  }
};

function isPort(text: string, from: number): boolean {
  port.lastIndex = from;
  return port.test(text);
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text, at)) at += 1;
  return at;
}

/** The last sign of the word that `from` is in, when it is behind `from`. */
function lastOf(text: string, sign: RegExp, wordEnd: (from: number) => number): (from: number) => number | undefined {
  const places = [...text.matchAll(sign)].map(({ index }) => index);
  let next = 0;
  return (from) => {
    const end = wordEnd(from);
    while ((places[next] ?? end) < end) next += 1;
    const last = places[next - 1];
    return last !== undefined && last > from ? last : undefined;
  };
}

/** `user/password@host` and `user:password@host:5432`, without a scheme. Schemes of mail and phones have no password. */
const bare =
  /(?<![^\s"'`(=[{,;])(?!(?:mailto|sips?|acct|xmpp|tel):)([\w.$-]{1,64}(?:\/(?=[^\s/@]{1,256}@[a-z0-9_])|:(?=[^\s:/@]{1,256}@(?:[\w.-]{1,253}:\d|(?:tcp|unix)\())))[^\s/@]{1,256}(?=@)/gi;

/** A line of a password file: `host:port:database:user:password`. An IPv6 address is none. */
const passwordFile =
  /(?<![^\s"'`(=[{,;])(?![0-9a-f:]+(?:[\s"'`,;)\]]|$))([\w.*-]{1,253}:(?:\d{3,5}|\*):[^\s:]{1,63}:[^\s:]{1,63}:)[^\s"'`]+/g;

/** Addresses in two parts: what may be shown is the first group. */
export const bareAddresses: readonly RegExp[] = [bare, passwordFile];
