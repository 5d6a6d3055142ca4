/** OpenSSL's words for an issuer that nobody here knows. */
const unknownIssuer = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

/** What was to be trusted: the host as it is configured, and the authority's file if one is named. */
export interface Trusted {
  readonly host: string;
  readonly sslrootcert?: string | undefined;
}

/** Why TLS to a server was refused and what to do, when the driver's error is about that; else undefined. */
export function tlsRefusal(error: unknown, { host, sslrootcert }: Trusted): { code: string; why: string } | undefined {
  const { code, message } = partsOf(error);
  const refused = (why: string): { code: string; why: string } => ({ code, why });
  if (message === 'The server does not support SSL connections') {
    return refused('the server offers no TLS. Switch it on there (ssl = on), or write sslmode: disable if the network is trusted');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return refused(
      `its certificate is not for "${host}" but for ${namesOf(error) ?? message}. Write a host that it is made for, or have it made for this one`,
    );
  }
  if (unknownIssuer.has(code)) {
    const known =
      sslrootcert === undefined ? 'none that this machine trusts; name its file as sslrootcert' : `not the one in ${sslrootcert}`;
    return refused(`the authority that issued its certificate is ${known} (${code})`);
  }
  if (code === 'CERT_HAS_EXPIRED') return refused('its certificate has expired. Give the server a new one and reload it');
  if (code === 'CERT_NOT_YET_VALID') return refused('its certificate is not valid yet. Look at the clocks of both machines');
  return /^(ERR_SSL_|ERR_TLS_|CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)/.test(code) ? refused(`${message} (${code})`) : undefined;
}

/** `DNS:db.example.com, IP Address:10.0.0.5`. */
function namesOf(error: unknown): string | undefined {
  const cert = typeof error === 'object' && error !== null && 'cert' in error ? error.cert : undefined;
  const names = typeof cert === 'object' && cert !== null && 'subjectaltname' in cert ? cert.subjectaltname : undefined;
  return typeof names === 'string' ? names : undefined;
}

function partsOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: '' };
  return { code: 'code' in error && typeof error.code === 'string' ? error.code : '', message: error.message };
}
