import { describe, expect, it } from 'vitest';
import { conninfo } from '../../activities/replication/conninfo.ts';
import { quoteLiteral } from '../../domain/command.ts';
import { redact } from '../../domain/redaction.ts';

const secret = 'hunter2-Sentinel';

/** As the run itself makes it: quoted for libpq, then for SQL. */
const statement = (password: string): string =>
  `CREATE SUBSCRIPTION s CONNECTION ${quoteLiteral(conninfo({ host: 'db', port: 5432, dbname: 'orders', user: 'u', sslmode: 'require', applicationName: 'a', password }))}`;

describe('redact', () => {
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
    'the bearer token is unknown',
    'a basic check of the token',
    'relation "orders" does not exist',
    'https://docs.example.com/errors#login-refused',
    'host=db port=5432 user=app dbname=orders',
  ])('leaves what has no secret as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});
