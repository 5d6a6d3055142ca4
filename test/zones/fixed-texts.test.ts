import { expect, test } from 'vitest';
import { failureKinds } from '../../domain/failure-kinds.ts';
import { redact } from '../../domain/redaction.ts';
import { productSources } from '../support/product-sources.ts';

/** Statements that compare a token's id with a column's, or into which a password is put: people never see them. */
const statements = ['control/tokens.ts', 'sandbox/rds-orders.ts'];

test('the redaction leaves every text of the product itself as it is', () => {
  const changed = productSources()
    .texts.filter(({ file, text }) => redact(text) !== text && !statements.includes(file))
    .map(({ file, text }) => `${file}: ${redact(text)}`);
  expect(changed).toEqual([]);
});

test('meanings and hints of all failures stay as they are', () => {
  for (const { meaning, hint } of Object.values(failureKinds)) {
    expect(redact(meaning)).toBe(meaning);
    expect(redact(hint)).toBe(hint);
  }
});
