import { describe, expect, it } from 'vitest';
import { conninfo } from '../../activities/replication/conninfo.ts';
import { quoteLiteral } from '../../domain/command.ts';
import { redact, redactExcerpt } from '../../domain/redaction.ts';

const secret = 'hunter2-Sentinel';

/** As the run itself makes it: quoted for libpq, then for SQL. */
const statement = (password: string): string =>
  `CREATE SUBSCRIPTION s CONNECTION ${quoteLiteral(conninfo({ host: 'db', port: 5432, dbname: 'orders', user: 'u', sslmode: 'require', applicationName: 'a', password }))}`;

const md5 = `md5${'0f'.repeat(16)}`;

describe('redact', () => {
  it('strikes the digests of PostgreSQL’s old verifiers', () => {
    expect(redact(`rolpassword ${md5}, file md5sum`)).toBe('rolpassword md5***, file md5sum');
  });

  it('changes nothing in what it has redacted', () => {
    for (const text of [`password=${secret}`, `PASSWORD '${secret}'`, `postgres://app:${secret}@db/x`, `Authorization: Bearer ${secret}`])
      expect(redact(redact(text))).toBe(redact(text));
  });

  it.each([
    ['a connection string', `host=db port=5432 user=app password=${secret} dbname=orders`],
    ['a quoted one', `host=db password='${secret}' dbname=orders`],
    ['one with a quote in it', `password='it''s ${secret}' dbname=orders`],
    ['one with an escaped quote in it', `password='it\\'s ${secret}' dbname=orders`],
    ['a URL', `could not connect to postgresql://app:${secret}@db.example.com:5432/orders`],
    ['SQL', `ALTER ROLE app PASSWORD '${secret}'`],
    ['SQL with a quote in the password', `ALTER ROLE app WITH PASSWORD 'a''${secret}' LOGIN`],
    ['a header', `authorization: Bearer ${secret}`],
    ['a token of ours', `the token sh_01jabc_${secret} is unknown`],
    ['a setting', `token: ${secret}`],
    ['JSON', `{"user":"app","password":"${secret}"}`],
    ['SQL with a backslash in the password', `ALTER ROLE app PASSWORD E'a\\\\${secret}'`],
    ['SQL with dollar quotes', `ALTER ROLE app PASSWORD $q$${secret}$q$`],
    ['a URL without a user', `postgres://:${secret}@db/orders`],
    ['a URL with an @ in the password', `postgres://app:p@${secret}@db/orders`],
    ['the environment', `PGPASSWORD=${secret} psql`],
    ['a longer name', `db_password=${secret}`],
    ['basic authentication', `Authorization: Basic ${secret}`],
    ['a key', `api_key=${secret}`],
    ['libpq over TLS', `sslpassword=${secret}`],
    ['a connection string in a statement', statement(secret)],
    ['one with quotes, blanks and backslashes', statement(`p' q"\\ ,${secret}\\`)],
    ['one that begins with a blank', statement(` ${secret}`)],
    ['one that was cut', statement(secret).slice(0, -25)],
    ['an option', `psql --password ${secret} -d orders`],
    ['a short option', `ldapsearch -W ${secret} -x`],
    ['a list of arguments', `spawnargs: [ '--password', '${secret}', '-x' ]`],
    ['a short name', `host=db pass=${secret} dbname=orders`],
    ['a key of AWS', `aws_secret_access_key = ${secret}`],
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\nMII\n${secret}\n-----END RSA PRIVATE KEY-----`],
    ['the rest of a private key', `MII\n${secret}\n-----END PRIVATE KEY-----`.replaceAll('-Sentinel', 'Sentinel')],
    ['another scheme of a header', `Authorization: Token ${secret}`],
    ['SQL with the wrong quotes', `ALTER ROLE app PASSWORD "${secret}" LOGIN`],
    ['an address without a scheme', `sqlplus scott/${secret}@db.example.com`],
    ['a line of a password file', `db.example.com:5432:orders:app:${secret}`],
    ['a variable of a container', `{"env":[{"name":"PGPASSWORD","value":"${secret}"}]}`],
    ['XML', `<MasterUserPassword>${secret}</MasterUserPassword>`],
    ['a cookie', `Set-Cookie: session=${secret}; HttpOnly`],
    ['a signed request', `https://db/?Action=connect&X-Amz-Signature=${secret}`],
    ['a web token', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${secret}`],
    ['a verifier', `SCRAM-SHA-256$4096:c2FsdA==$${secret}:c2VydmVy`],
  ])('strikes the secret out of %s', (_where, text) => {
    expect(redact(text)).not.toContain('Sentinel');
    expect(redact(text)).toContain('***');
  });

  it('leaves the rest to be read', () => {
    expect(redact(`host=db user=app password=${secret} dbname=orders`)).toBe('host=db user=app password=*** dbname=orders');
    expect(redact(`postgresql://app:${secret}@db/orders`)).toBe('postgresql://app:***@db/orders');
  });

  it.each([
    'password authentication failed for user "app"',
    'the request has no `Authorization: Bearer …` header',
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-Ab1',
    `ALTER ROLE :"role" PASSWORD :'verifier'`,
    'SELECT FROM steadyhand.marker WHERE token = $1',
    'SELECT password::text FROM people',
    '2001:4860:4860:0:0:8888 does not answer',
    'mailto:ada@example.com, ops/ada-lovelace, git@example.com:x/y.git',
    '{"url":"http://db:5432","by":"ada@example.com"}',
    'docker run -u 1000:1000 postgres',
    'the token 0123456789ab has: none',
    'the bearer token is unknown',
    'a basic check of the token',
    'relation "orders" does not exist',
    'https://docs.example.com/errors#login-refused',
    'host=db port=5432 user=app dbname=orders',
  ])('leaves what has no secret as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('redactExcerpt', () => {
  it('cuts a long text, and keeps a short one', () => {
    expect(redactExcerpt('a short text', 20)).toBe('a short text');
    expect(redactExcerpt('some words that go on', 13)).toBe('some words …');
    expect(redactExcerpt('x'.repeat(100_000), 1_000)).toHaveLength(1_000 - 256 + 1);
    expect(redactExcerpt(`${'x'.repeat(10)} ${'😀'.repeat(200)}`, 100).isWellFormed()).toBe(true);
  });

  it.each([
    ['an address', `postgres://app:${secret}@db/orders`],
    ['a long password in an address', `postgres://app:${`${secret}/`.repeat(90)}@db/orders`],
    ['a bare address', `scott/${secret}@db`],
    ['a token', `xoxb-${secret}`],
    ['quotes', `password='${secret} ${secret}'`],
    ['XML', `<password>${`${secret} `.repeat(50)}</password>`],
  ])('shows nothing of a secret that it cuts: %s', (_where, text) => {
    for (let length = 1; length < text.length; length += 1) expect(redactExcerpt(`${text} and more`, length)).not.toMatch(/hunt|nter|Sent/);
  });
});
