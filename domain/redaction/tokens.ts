import { bareAddresses } from './addresses.ts';
import type { Finder } from './place.ts';

/** Each is what may be shown, as the first group, then the secret. */
const patterns: readonly RegExp[] = [
  ...bareAddresses,
  // With the header's name, each scheme; the words of a sentence are shorter or have other signs.
  /(\bauthorization\\*["']?\s*[=:]\s*\\*["']?(?:(?:bearer|basic|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256)\s+))[\w.~+/=-]{4,}(?:\s*(?:,\s*)?\w{1,30}=[^\s"',]+)*/gi,
  /(\bauthorization\\*["']?\s*[=:]\s*\\*["']?)[\w.~+/=-]{16,}/gi,
  /(\b(?:set-)?cookie\\*["']?\s*:\s*\\*["']?)[^\r\n"']+/gi,
  // `curl -u user:password`; numbers are the user and group of a container.
  /((?<![\w-])(?:-u|--user|--proxy-user)(?:=|\s+)["']?[^\s:"']{1,64}:)(?!\d+\b)[^\s"']+/g,
  // Without it only what looks like a token: "basic authentication" are words.
  /(\b(?:bearer|basic)\s+)(?=[\w.~+/-]*[\d=])[\w.~+/=-]{8,}/gi,
  // Long enough to be a token of ours: a table may be called sh_orders_old.
  /(\bsh_)(?:[0-9a-f]{12}_[\w-]+|[0-9a-z]+_[\w-]{16,})/gi,
  // What PostgreSQL stores of a password.
  /(SCRAM-SHA-256\$)[^\s'"]+/g,
  /(\bmd5)[0-9a-f]{32}\b/g,
  // A request that AWS has signed: anyone who has the address may send it.
  /([?&](?:x-amz-)?(?:signature|sig)=)[^\s&'"<>]+/gi,
  // The beginnings that their makers give to tokens, so that programs like this one find them.
  /(\b(?:AKIA|ASIA))[0-9A-Z]{16}\b/g,
  /(\b(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz))[\w+/=-]{20,}/g,
  /(\beyJ)[\w-]{10,}(?:\.[\w-]*){0,4}/g,
  /(\bxox[a-z]-|\bxapp-)[\w-]{8,}/g,
  /(\bgh[oprsu]_|\bgithub_pat_|\bglpat-|\bnpm_|\bhv[bs]\.|\bs\.(?=\w{24}\b)|\bsbp_|\bpscale_(?:pw|tkn)_|\bdop_v1_|\bAIza|\bya29\.|\b[rs]k_(?:live|test)_)[\w.-]{16,}/g,
  // A private key that a variable holds in Base64.
  /(\bLS0tLS1CRUdJTi)[\w+/=]{20,}/g,
];

/** Secrets that are known by their own form, or by a few words before them. */
export const tokens: Finder = function* (text) {
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      yield { from: match.index + (match[1]?.length ?? 0), to: match.index + match[0].length };
    }
  }
};

const pemEdge = /-----(BEGIN|END) [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----/g;

/** What stands between the lines that begin and end a private key; the rest of the text, or what came before it, when one is missing. */
export const privateKeys: Finder = function* (text) {
  let open: number | undefined;
  let closed = 0;
  for (const { 0: edge, 1: kind, index } of text.matchAll(pemEdge)) {
    if (kind === 'BEGIN') open ??= index + edge.length;
    else {
      yield { from: open ?? startOfBase64(text, closed, index), to: index };
      open = undefined;
      closed = index + edge.length;
    }
  }
  if (open !== undefined) yield { from: open, to: text.length };
};

function startOfBase64(text: string, least: number, to: number): number {
  let at = to;
  while (at > least && /[\w+/=\s\\]/.test(text.charAt(at - 1))) at -= 1;
  return at;
}
